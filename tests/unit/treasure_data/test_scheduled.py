"""Queries that are printed once and run again and again: what is relative to a run stays so."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product

import pytest
import sqlglot
from jinja2 import Environment, StrictUndefined
from typer.testing import CliRunner

from td_currents_cli.choices import Dialect, RunBy
from td_currents_cli.cli.app import app
from td_currents_cli.treasure_data.address import Period
from td_currents_cli.treasure_data.sql.scheduled import ScheduledTime, period_in_words, seconds_sql
from tests.td_service.engine import Engine

NOW = 1_800_000_000
HOUR = 3600
ADDRESS = "td://braze/raw"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, for all commands."""
    times = [float(NOW)]
    monkeypatch.setattr("time.time", lambda: times[-1])
    return times


def printed(*arguments: str) -> str:
    run = CliRunner().invoke(app, ["sql", *arguments, "--format", "json"])
    assert run.exit_code == 0, run.stderr
    return run.stdout


def filled_in(sql: str, run_by: RunBy, now: int = NOW, *, is_incremental: bool = True) -> str:
    """A query as the workflow or dbt runs it."""
    if run_by is RunBy.WORKFLOW:
        values = {"session_unixtime": str(now), "'$'": "$"}
        return re.sub(r"\$\{(.*?)\}", lambda found: values[found[1]], sql)
    if run_by is RunBy.DBT:
        template = Environment(undefined=StrictUndefined, autoescape=False).from_string(sql)  # noqa: S701 -- no HTML
        return template.render(
            var=lambda _, default: default,
            run_started_at=datetime.fromtimestamp(now, UTC),
            is_incremental=lambda: is_incremental,
            config=lambda **_: "",
        )
    return sql


def query(run_by: RunBy, *arguments: str) -> str:
    sql: str = json.loads(printed(*arguments, "--for", run_by))["sql"]
    return sql


TIMES: Sequence[Sequence[str]] = (
    (),
    ("--since", "-7d"),
    ("--until", "-90m"),
    ("--received-since", "-2h", "--received-until", "-61s"),
    ("--since", "2026-07-01", "--received-until", "-1d", "--until", "-3d", "--late", "1h"),
)


@pytest.mark.parametrize(("run_by", "rows"), [("console", "flat"), ("workflow", "batches"), ("dbt", "batches")])
def test_nothing_depends_on_when_it_was_printed(clock: list[float], run_by: str, rows: str) -> None:
    """Neither in the text nor in what is said about it."""
    for name, times in product(("count", "parse", "dedupe"), TIMES):
        arguments = (name, ADDRESS, "--rows", rows, "--for", run_by, *times)
        first = printed(*arguments)
        for later in (60, 86_400):
            clock.append(NOW + later)
            assert printed(*arguments) == first
            clock.pop()


@pytest.mark.parametrize("name", ["count", "parse", "dedupe"])
@pytest.mark.parametrize("table", [ADDRESS, "export/"])
def test_nothing_depends_on_it_in_spark(clock: list[float], table: str, name: str) -> None:
    first = printed(name, table, "--dialect", "spark", "--since", "-7d")
    clock.append(NOW + 86_460)
    assert printed(name, table, "--dialect", "spark", "--since", "-7d") == first
    *_, last = json.loads(first)["sql"].split(";\n\n")
    assert "UNIX_TIMESTAMP() - 604800" in last
    assert sqlglot.parse_one(last, read="spark").find(sqlglot.exp.Select)


def event(name: str, time: int) -> dict[str, object]:
    return {"event_type": "users.behaviors.Uninstall", "id": name, "time": time, "user": {"user_id": "u"}}


ROWS = [
    {"time": received, "events": json.dumps([event(name, received - 10), event(f"old {name}", received - 86_400)])}
    for name, received in (
        ("long ago", NOW - 100 * HOUR),
        ("yesterday", NOW - 30 * HOUR),
        ("today", NOW - HOUR),
        ("not yet", NOW),
    )
]
ENGINE = Engine({("braze", "raw"): ROWS}, scheduled=NOW)
EXPECTED = {
    (): {"today", "old today"},
    ("--received-since", "-2d"): {"yesterday", "old yesterday", "today", "old today"},
    ("--since", "-2d"): {"yesterday", "today", "old today"},
    ("--received-since", "-2d", "--until", "-1d"): {"yesterday", "old yesterday", "old today"},
}


@pytest.mark.parametrize("run_by", RunBy)
@pytest.mark.parametrize(("name", "times"), [("parse", ()), *(("dedupe", times) for times in EXPECTED)])
def test_what_a_run_takes(clock: list[float], run_by: RunBy, times: tuple[str, ...], name: str) -> None:
    """Rows up to the time for which it is scheduled, so that the next run continues there, whenever it was printed."""
    clock.append(NOW + 1_000_000)
    sql = filled_in(query(run_by, name, ADDRESS, *times), run_by)
    result = ENGINE.query(sql)
    ids = [column for column, _ in result.columns].index("id")
    assert {row[ids] for row in result.rows} == EXPECTED[times]


@pytest.mark.parametrize("run_by", RunBy)
def test_what_a_run_counts(run_by: RunBy) -> None:
    """In both forms."""
    for form, kind in (((), None), (("--exact",), "event")):
        result = ENGINE.query(filled_in(query(run_by, "count", ADDRESS, "--since", "-2d", *form), run_by))
        names = [column for column, _ in result.columns]
        rows = [dict(zip(names, row, strict=True)) for row in result.rows]
        assert sum(row["event_count" if kind else "events"] for row in rows if row.get("kind") == kind) == 3


def test_the_first_run_of_dbt_takes_all_rows() -> None:
    """Unless a period was asked for."""
    for times, count in (((), 6), (("--received-since", f"@{NOW - 31 * HOUR}"), 6), (("--since", "-2d"), 3)):
        model = query(RunBy.DBT, "dedupe", ADDRESS, *times)
        assert ("materialized='incremental'" in model) == (times == ())
        result = ENGINE.query(filled_in(model, RunBy.DBT, is_incremental=False))
        assert len(result.rows) == count


def test_dates_are_in_the_zone() -> None:
    for name in ("count", "parse", "dedupe"):
        sql = query(RunBy.CONSOLE, name, ADDRESS, "--received-since", "2026-07-01", "--timezone", "Europe/Berlin")
        assert "WHERE TD_TIME_RANGE(time, 1782856800, NULL)" in sql


def test_templates_in_names_are_text() -> None:
    """They are in the query as they were given."""
    glob = "${a} $${b} {{c}} {%d%} {#e#} {{{f}}} ${'$'}"
    by = "properties.{{x}}${y}{%z"
    console = query(RunBy.CONSOLE, "count", ADDRESS, "--type", glob, "--by", by)
    for run_by in (RunBy.WORKFLOW, RunBy.DBT):
        sql = filled_in(query(run_by, "count", ADDRESS, "--type", glob, "--by", by), run_by)
        assert sql.strip().replace(str(NOW), "TD_SCHEDULED_TIME()") == console


@pytest.mark.parametrize(
    ("offset", "trino", "words"),
    [
        (0, "TD_SCHEDULED_TIME()", "the scheduled time"),
        (-86_400, "TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1d')", "1 day before the scheduled time"),
        (-90_000, "TD_TIME_ADD(TD_SCHEDULED_TIME(), '-25h')", "25 hours before the scheduled time"),
        (5400, "TD_TIME_ADD(TD_SCHEDULED_TIME(), '90m')", "90 minutes after the scheduled time"),
        (-61, "TD_TIME_ADD(TD_SCHEDULED_TIME(), '-61s')", "61 seconds before the scheduled time"),
    ],
)
def test_times(offset: int, trino: str, words: str) -> None:
    """In the units of TD_TIME_ADD, which knows no weeks."""
    time = ScheduledTime(NOW + 0.25) + offset
    assert time == NOW + 0.25 + offset
    assert seconds_sql(time) == trino
    assert seconds_sql(time - 0, Dialect.SPARK).startswith("UNIX_TIMESTAMP() ")
    assert period_in_words(Period(time)) == f"{words} to any later time"


@pytest.mark.parametrize(("rows", "which"), [("batches", "rows received"), ("flat", "rows with `time`")])
def test_which_rows_a_query_covers(rows: str, which: str) -> None:
    """The column `time` of flat rows may be the event time."""
    run = CliRunner().invoke(app, ["sql", "dedupe", ADDRESS, "--rows", rows, "--received-since", "-7d"])
    assert run.stderr == f"covers {which} from 7 days before the scheduled time to the scheduled time\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("create-table", "--for", "dbt"),
        ("parse", "--for", "dbt", "--into", "td://braze/flat"),
        ("count", "--for", "dbt", "--dialect", "spark"),
        ("count", "--for", "workflow", "--dialect", "spark"),
        ("dedupe", "--rows", "flat", "--for", "dbt", "--dialect", "hive"),
    ],
)
def test_what_cannot_be_run_there(arguments: tuple[str, ...]) -> None:
    name, *options = arguments
    run = CliRunner().invoke(app, ["sql", name, ADDRESS, *options])
    assert (run.exit_code, run.stdout) == (2, "")
    assert " cannot be used with " in run.stderr


def test_hive_in_a_workflow() -> None:
    sql = query(RunBy.WORKFLOW, "dedupe", ADDRESS, "--rows", "flat", "--dialect", "hive")
    assert "TD_TIME_RANGE(`time`, TD_TIME_ADD(${session_unixtime}, '-1d'), ${session_unixtime})" in sql
