"""Statements of an incremental flatten that can be repeated: watermark, batch, INSERT, and the search for doubles.

Bounds are SQL expressions of UNIX seconds: numbers, or what a workflow fills in from results of earlier statements.

A run reads the rows of a window that begins before the watermark, since rows may appear late. The INSERT leaves out
ids that the target has, which it looks up only between the event times `oldest` and `newest` of the batch. Events
outside of them, of rows that appeared in the meantime, are left for the next run, whose window has these rows again.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from td_currents_cli.catalog.ddl import RECEIVED_TIME, TIME, TableColumn
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.treasure_data.address import COLUMN, LATE, TableAddress
from td_currents_cli.treasure_data.sql.events import IS_EVENT, NUMBER, RECEIVED, REJECTED, Events, FlatEvents
from td_currents_cli.treasure_data.sql.queries import (
    EVENT_ID,
    EVENT_SECONDS,
    EVENT_TYPE,
    column_values,
    insert_into,
    select_values,
    usable_events,
)
from td_currents_cli.treasure_data.sql.text import (
    TimeRange,
    create_table,
    cte,
    filter_condition,
    identifier,
    is_canary,
    receive_time_condition,
    string_literal,
    table_identifier,
)

STATE_TABLE: Final = "tdcur_state"
_STATE_COLUMNS: Final = {
    TIME: "BIGINT",  # when the run was recorded
    "source": "VARCHAR",
    "target": "VARCHAR",
    "received_since": "BIGINT",
    "watermark": "BIGINT",
}

_IS_WANTED: Final = '"is wanted"'
_NTH: Final = '"nth of id"'
_OLDEST: Final = '"oldest time"'
_NEWEST: Final = '"newest time"'
_CONTENT: Final = '"content"'
_FIRST_CONTENT: Final = '"first content"'
_IS_USED: Final = f"({_IS_WANTED} AND COALESCE({_NTH}, 1) = 1)"


class IncrementalQuery(Struct, frozen=True, kw_only=True):
    events: Events  # of the window
    since: str  # the beginning of the window
    watermark: str  # the rows that were received before it were read by an earlier run
    filter: Filter = EVERYTHING


class TimeSpan(Struct, frozen=True):
    """A range of event times, both included; `batch_sql` returns it."""

    oldest: str
    newest: str

    @property
    def condition(self) -> str:
        """The condition on rows of a flat table, by which Treasure Data prunes partitions."""
        return receive_time_condition(TimeRange(self.oldest, f"{self.newest} + 1"))


def create_state_sql(database: str) -> str:
    return create_table(_state_table(database), _STATE_COLUMNS)


def source_name(source: TableAddress) -> str:
    """Return the name under which the watermark is recorded: each column with batches has its own."""
    return str(source) if source.column == COLUMN else f"{source}?column={source.column}"


def watermark_sql(database: str, source: str, target: str) -> str:
    """Write the query for `watermark`: the newest one, or null before the first run."""
    return "\n".join(
        [
            "SELECT MAX(watermark) AS watermark",
            f"FROM {table_identifier(_state_table(database))}",
            f"WHERE source = {string_literal(source)} AND target = {string_literal(target)}",
        ]
    )


def record_run_sql(database: str, source: str, target: str, *, now: str, since: str, watermark: str) -> str:
    """Write the last statement of a run; `watermark` is the end of its window."""
    values = [now, string_literal(source), string_literal(target), since, watermark]
    return f"{insert_into(_state_table(database), _STATE_COLUMNS)}\nVALUES ({', '.join(values)})"


def batch_sql(query: IncrementalQuery, *, by_type: bool = False) -> str:
    """Write the query that counts a batch; its one row has the fields of `BatchCounts`.

    With `by_type`, it has a row per event type, which is the first column.
    """
    is_new = f"{_IS_USED} AND {RECEIVED} >= {query.watermark}"
    is_late = f"{is_new} AND {EVENT_SECONDS} < {query.since}"
    values = {
        "row_count": _count_if(f"{NUMBER} IS NULL OR {NUMBER} = 1"),
        "rejected_rows": _count_if(REJECTED),
        "event_count": f"COUNT({NUMBER})",
        "rejected_events": _count_if(f"{NUMBER} IS NOT NULL AND NOT {IS_EVENT}"),
        "filtered": _count_if(f"{IS_EVENT} AND NOT {_IS_WANTED}"),
        "canaries": "0" if query.filter.canaries else _count_if(is_canary(EVENT_TYPE)),
        "duplicates": _count_if(f"{_NTH} > 1"),
        "changed": _count_if(f"{_NTH} > 1 AND {_CONTENT} <> {_FIRST_CONTENT}"),
        "unique_events": _count_if(_IS_USED),
        "late": _count_if(is_late),
        "late_since": f"CAST(MIN(CASE WHEN {is_late} THEN FLOOR({EVENT_SECONDS}) END) AS BIGINT)",
        "oldest": f"COALESCE(MIN(CASE WHEN {_IS_USED} THEN {_OLDEST} END), 0)",
        "newest": f"COALESCE(MAX(CASE WHEN {_IS_USED} THEN {_NEWEST} END), 0)",
    }
    listed = {"event_type": EVENT_TYPE} | values if by_type else values
    return "\n".join(
        [
            f"WITH {query.events.lines},",
            _numbered_events(query, with_content=True),
            "SELECT",
            "  " + ",\n  ".join(f"{expression} AS {name}" for name, expression in listed.items()),
            "FROM numbered",
            *([f"GROUP BY {EVENT_TYPE}"] if by_type else []),
        ]
    )


class BatchCounts(Struct, frozen=True):
    """A row of the result of `batch_sql`, without the event type."""

    row_count: int = 0
    rejected_rows: int = 0
    event_count: int = 0
    rejected_events: int = 0
    filtered: int = 0
    canaries: int = 0  # of the filtered
    duplicates: int = 0  # within the batch
    changed: int = 0  # of the duplicates, those with another content than the first event of their id
    unique_events: int = 0  # the others, including those that the target has
    late: int = 0  # of these, those of new rows that happened before the window
    late_since: int | None = None
    oldest: int = 0
    newest: int = 0


def sum_batches(batches: Iterable[BatchCounts]) -> BatchCounts:
    """Add up batches, of which the first and last times are those of all."""
    listed = list(batches)
    used = [each for each in listed if each.unique_events]
    late = [each.late_since for each in listed if each.late_since is not None]
    sums = {name: sum(getattr(each, name) for each in listed) for name in _NUMBERS}
    return BatchCounts(
        late_since=min(late, default=None),
        oldest=min((each.oldest for each in used), default=0),
        newest=max((each.newest for each in used), default=0),
        **sums,
    )


_NUMBERS: Final = BatchCounts.__struct_fields__[: BatchCounts.__struct_fields__.index("late_since")]


def insert_new_sql(
    query: IncrementalQuery,
    into: TableAddress,
    columns: Sequence[TableColumn],
    span: TimeSpan,
    event_types: Collection[str | None] | None = None,
) -> str:
    """Write the INSERT of the events that the target does not have.

    With `event_types`, only those of these types are inserted; None is for events without a type. The target has these
    columns, RECEIVED_TIME and OTHER_FIELDS.

    An event without an id is inserted if its row was received at or after the watermark, unless the target has one of
    the same times: a run that was not recorded has inserted all of that row.
    """
    values = column_values(query.events, columns)
    in_span = f"{_OLDEST} >= {span.oldest} AND {_NEWEST} <= {span.newest}"
    is_new = (
        f"{RECEIVED} >= {query.watermark} AND {_STORED_RECEIVED} IS NULL",
        f"{_STORED_ID} IS NULL AND {in_span}",
    )
    conditions = [_IS_USED, f"CASE WHEN {EVENT_ID} IS NULL THEN {is_new[0]} ELSE {is_new[1]} END"]
    if event_types is not None:
        conditions.append(_type_condition(event_types))
    where = "\n    AND ".join(conditions)
    joins = (
        f"LEFT JOIN stored_ids ON {EVENT_ID} = {_STORED_ID}\n  LEFT JOIN stored_without_id"
        f" ON {EVENT_ID} IS NULL AND {RECEIVED} = {_STORED_RECEIVED} AND {_NEWEST} = {_STORED_TIME}"
    )
    times = f"{RECEIVED_TIME} AS {_STORED_RECEIVED}, {TIME} AS {_STORED_TIME}"
    stored = f"{table_identifier(into)}\n  WHERE {span.condition} AND "
    return "\n".join(
        [
            insert_into(into, values),
            f"WITH {query.events.lines},",
            _numbered_events(query, with_content=False) + ",",
            cte("stored_ids", [f"DISTINCT id AS {_STORED_ID}"], f"{stored}id <> ''") + ",",
            cte("stored_without_id", [f"DISTINCT {times}"], f"{stored}COALESCE(id, '') = ''") + ",",
            cte("new_events", ["numbered.*"], f"numbered\n  {joins}\n  WHERE\n    {where}") + ",",
            cte("opened", ["*", *query.events.opened], "new_events"),
            select_values(values),
            "FROM opened",
        ]
    )


_STORED_ID: Final = '"stored id"'
_STORED_RECEIVED: Final = '"stored receive time"'
_STORED_TIME: Final = '"stored time"'


def doubles_sql(table: TableAddress, since: str, span: TimeSpan) -> str:
    """Write the query for `doubled_ids`, and the `row_count` of them: ids that a table has twice.

    One of the rows was received in a window that began at `since`.
    """
    # Whatever comes from outside is quoted.
    return "\n".join(
        [
            f"WITH doubles AS (\n{_doubles(table, since, span)}\n)",
            "SELECT COUNT(*) AS doubled_ids, COALESCE(SUM(copies), 0) AS row_count",
            "FROM doubles",
        ]
    )


def remove_doubles_sql(table: TableAddress, columns: Sequence[str], since: str, span: TimeSpan) -> list[str]:
    """Write statements that leave one row of each id that `doubles_sql` counts, the one received first.

    Each can be repeated. `columns` are those of the table; `time` is one of every table.
    """
    names = ", ".join(map(identifier, dict.fromkeys([TIME, *columns])))
    nth = f"ROW_NUMBER() OVER (PARTITION BY id ORDER BY {RECEIVED_TIME})"
    here, there = table_identifier(table), table_identifier(table.with_suffix(_SUFFIX))
    # Whatever comes from outside is quoted.
    ids = f"SELECT id FROM (\n{_doubles(table, since, span)}\n) doubles"  # noqa: S608
    copies = f"SELECT {names}, {nth} AS {_NTH}\n  FROM {here}\n  WHERE {span.condition} AND id IN ({ids})"  # noqa: S608
    stored = f"SELECT id FROM {here} WHERE {span.condition} AND id IS NOT NULL"  # noqa: S608
    return [
        f"CREATE TABLE IF NOT EXISTS {there} AS\nSELECT {names}\nFROM (\n  {copies}\n) copies\nWHERE {_NTH} = 1",
        f"DELETE FROM {here}\nWHERE {span.condition} AND id IN (SELECT id FROM {there})",  # noqa: S608
        f"INSERT INTO {here} ({names})\nSELECT {names}\nFROM {there}\nWHERE id NOT IN ({stored})",
        f"DROP TABLE IF EXISTS {there}",
    ]


_SUFFIX: Final = "_tdcur_doubles"


def _doubles(table: TableAddress, since: str, span: TimeSpan) -> str:
    return "\n".join(
        [
            "  SELECT id, COUNT(*) AS copies",
            f"  FROM {table_identifier(table)}",
            f"  WHERE {span.condition} AND id <> ''",
            "  GROUP BY id",
            f"  HAVING COUNT(*) > 1 AND MAX({RECEIVED_TIME}) >= {since}",
        ]
    )


def _numbered_events(query: IncrementalQuery, *, with_content: bool) -> str:
    """Write common table expressions; the last one, `numbered`, has the columns of `lines` and what is known of events.

    An id is what the target will have as its id, also if it is not a string.
    """
    events = query.events
    happened = f"CAST(FLOOR({EVENT_SECONDS}) AS BIGINT)"
    # Without an event time, `time` is the receive time, and may be that of an earlier copy.
    earliest = f"{RECEIVED} - {LATE:.0f}"
    span = {
        _OLDEST: earliest if isinstance(events, FlatEvents) else f"COALESCE({happened}, {earliest})",
        _NEWEST: f"COALESCE({happened}, {RECEIVED})",
    }
    is_wanted = f"{IS_EVENT} AND {filter_condition(query.filter, EVENT_TYPE, EVENT_SECONDS)}"
    window = f"OVER (PARTITION BY {_IS_WANTED}, {EVENT_ID} ORDER BY {RECEIVED}, {NUMBER})"
    has_id = f"{_IS_WANTED} AND {EVENT_ID} IS NOT NULL"
    known = {_IS_WANTED: is_wanted, **span, **({_CONTENT: events.content} if with_content else {})}
    numbered = {_NTH: f"CASE WHEN {has_id} THEN ROW_NUMBER() {window} END"}
    if with_content:
        numbered[_FIRST_CONTENT] = f"FIRST_VALUE({_CONTENT}) {window}"
    return ",\n".join(
        [
            usable_events(events, "lines", events.value),
            cte("known", ["*", *_aliased(known)], "usable"),
            cte("numbered", ["*", *_aliased(numbered)], "known"),
        ]
    )


def _count_if(condition: str) -> str:
    return f"COUNT(*) FILTER (WHERE {condition})"


def _aliased(columns: dict[str, str]) -> list[str]:
    return [f"{expression} AS {name}" for name, expression in columns.items()]


def _type_condition(event_types: Collection[str | None]) -> str:
    names = [string_literal(each) for each in event_types if each is not None]
    conditions = [f"{EVENT_TYPE} IN ({', '.join(names)})"] if names else []
    conditions += [f"{EVENT_TYPE} IS NULL"] if None in event_types else []
    return f"({' OR '.join(conditions)})"


def _state_table(database: str) -> TableAddress:
    return TableAddress(database=database, table=STATE_TABLE)
