"""Times relative to the run of a query that is printed now and run later: in the console, a workflow, or dbt."""

from typing import Final, Self

from td_currents_cli.choices import Dialect
from td_currents_cli.patterns import pattern
from td_currents_cli.treasure_data.address import Period, format_time

CLOCK: Final = "TD_SCHEDULED_TIME()"
"""UNIX seconds for which a run was scheduled; of a query that is not, those of its start."""


class ScheduledTime(float):
    """The scheduled time of a run, or a time before or after it; its value is that of a run that starts now."""

    offset: float

    def __new__(cls, now: float, offset: float = 0.0) -> Self:
        time = super().__new__(cls, now + offset)
        time.offset = offset
        return time

    def __add__(self, seconds: float) -> "ScheduledTime":
        return ScheduledTime(float(self) - self.offset, self.offset + seconds)

    def __sub__(self, seconds: float) -> "ScheduledTime":
        return self + -seconds


def seconds_sql(time: float, dialect: Dialect = Dialect.TRINO) -> str:
    """Write the expression of a time in UNIX seconds."""
    if not isinstance(time, ScheduledTime):
        return f"{time:.0f}"
    if dialect is Dialect.SPARK:
        return f"UNIX_TIMESTAMP() {'-' if time.offset < 0 else '+'} {abs(time.offset):.0f}"
    number, unit = _amount(time.offset)
    return f"TD_TIME_ADD({CLOCK}, '{number}{unit[0]}')" if number else CLOCK


def _amount(seconds: float) -> tuple[int, str]:
    """Return a number of days, or of the largest unit that fits."""
    size, unit = next((size, unit) for size, unit in _UNITS if round(seconds) % size == 0)
    return round(seconds) // size, unit


_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def until_scheduled(rows: Period, now: ScheduledTime) -> Period:
    """End an open period that begins before the scheduled time there, so that successive runs share no rows."""
    is_open = rows.until is None and isinstance(rows.since, ScheduledTime)
    return Period(rows.since, now) if is_open else rows


def period_in_words(rows: Period) -> str:
    """Describe a period for people, the same whenever the query is printed."""
    ends = (rows.since, rows.until)
    if not any(isinstance(each, ScheduledTime) for each in ends):
        return f"{rows} (UTC)"
    since, until = ("any later time" if each is None else _in_words(each) for each in ends)
    return f"{since} to {until}"


def _in_words(time: float) -> str:
    if not isinstance(time, ScheduledTime):
        return f"{format_time(time)} (UTC)"
    number, unit = _amount(time.offset)
    plural = "" if abs(number) == 1 else "s"
    before = f"{abs(number)} {unit}{plural} {'before' if number < 0 else 'after'} " if number else ""
    return f"{before}the scheduled time"


WORKFLOW_CLOCK: Final = "${session_unixtime}"
"""The same in a workflow (digdag)."""


def for_workflow(sql: str) -> str:
    """Write a query for a workflow (digdag), which fills in `${…}`."""
    return sql.replace("${", "${'$'}{").replace(CLOCK, WORKFLOW_CLOCK)


_JINJA: Final = pattern(r"\{[{%#]")

DBT_CLOCK: Final = "session_unixtime"
"""The dbt variable with the scheduled time: by default, the start of the run."""


def for_dbt(sql: str, on_rows: str = "", on_all_rows: str = "", key: str = "id") -> str:
    """Write a query as a dbt model.

    With the condition on rows that is in the query, the model is incremental: its first run, and one with
    `--full-refresh`, takes all rows. Later runs replace the rows of the same `key`.
    """
    model = _JINJA.sub(lambda mark: f'{{{{ "{mark[0]}" }}}}', sql)
    if on_rows:
        choice = f"{{% if is_incremental() %}}{on_rows}{{% else %}}{on_all_rows}{{% endif %}}"
        model = f"{_INCREMENTAL.format(key)}\n{model.replace(on_rows, choice)}"
    if CLOCK in model:
        model = f"{_SET_CLOCK}\n{model}".replace(CLOCK, f"{{{{ {DBT_CLOCK} }}}}")
    return model


_INCREMENTAL: Final = (
    "{{{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='{}') }}}}"
)
_SET_CLOCK: Final = f"{{% set {DBT_CLOCK} = var('{DBT_CLOCK}', run_started_at.timestamp() | int) %}}"
