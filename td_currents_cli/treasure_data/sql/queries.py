"""Queries that look for ids, flatten events, and deduplicate them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from td_currents_cli.braze import ENVELOPE
from td_currents_cli.catalog.ddl import OTHER_FIELDS, RECEIVED_TIME, TIME, TableColumn
from td_currents_cli.catalog.model import Where
from td_currents_cli.choices import Dialect
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.treasure_data.address import Period, TableAddress
from td_currents_cli.treasure_data.sql.events import (
    IS_EVENT,
    KIND,
    MISFITS,
    NUMBER,
    RECEIVED,
    REJECTED,
    BatchEvents,
    Events,
    sql_type,
)
from td_currents_cli.treasure_data.sql.text import (
    cte,
    filter_condition,
    identifier,
    receive_time_condition,
    string_literal,
    table_identifier,
)

MAX_LISTED_IDS: Final = 1000  # with more, the query returns all ids
MAX_LISTED_CHARACTERS: Final = 100_000  # in all listed ids; Trino accepts queries of a million


def stored_ids_sql(events: Events, ids: Collection[str]) -> str:
    """Write the Trino query for `id` and `kind` of the events with these ids, or of all if there are too many ids.

    `kind` is null for an event; a rejected row or event has a row of its own.
    """
    condition = f"id IN ({', '.join(map(string_literal, ids))})" if _can_be_listed(ids) else "id IS NOT NULL"
    extracted = f"{events.extract((('id',),))} AS m_id"
    source = f"extracted\n  WHERE {REJECTED} OR {NUMBER} IS NOT NULL"
    return "\n".join(
        [
            f"WITH {events.lines},",
            cte("extracted", [NUMBER, REJECTED, IS_EVENT, extracted], "lines") + ",",
            cte("ids", [f"{events.name('m_id')} AS id", f"{KIND} AS kind"], source),
            "SELECT id, kind",
            "FROM ids",
            f"WHERE kind IS NOT NULL OR {condition}",
        ]
    )


def _can_be_listed(ids: Collection[str]) -> bool:
    # An unprintable character may be a lone surrogate, which a query cannot contain.
    return (
        0 < len(ids) <= MAX_LISTED_IDS
        and sum(map(len, ids)) <= MAX_LISTED_CHARACTERS
        and all(map(str.isprintable, ids))
    )


def ids_sql(events: Events, *, with_outline: bool = False) -> str:
    """Write the Trino query for `id`, `event_type`, `time`, `kind`, and optionally `outline`, of each event.

    `kind` is null for an event; a rejected row or event has a row of its own. `outline` may be null.
    """
    extracted = {"id": (("id",),), "event_type": (("event_type",),), "time": (("time",),)}
    listed = [f"{events.extract(paths)} AS m_{column}" for column, paths in extracted.items()]
    outline = [f"{events.outline} AS outline"] if with_outline else []
    columns = [
        f"{events.name('m_id')} AS id",
        f"{events.name('m_event_type')} AS event_type",
        f"{events.seconds('m_time')} AS time",
        f"{KIND} AS kind",
        *(["outline"] if with_outline else []),
    ]
    return "\n".join(
        [
            f"WITH {events.lines},",
            cte("extracted", [NUMBER, REJECTED, IS_EVENT, *listed, *outline], "lines"),
            "SELECT",
            "  " + ",\n  ".join(columns),
            "FROM extracted",
            f"WHERE {REJECTED} OR {NUMBER} IS NOT NULL",
        ]
    )


EVENT_TYPE: Final = '"usable type"'
EVENT_ID: Final = '"usable id"'
EVENT_SECONDS: Final = '"usable seconds"'
_NTH_OF_ID: Final = '"nth of id"'


class FlattenQuery(Struct, frozen=True, kw_only=True):
    events: Events
    columns: Sequence[TableColumn]
    filter: Filter = EVERYTHING
    dedupe: bool = False  # keep only the first event of each id
    received_time: bool = True  # also a column with the receive time, RECEIVED_TIME
    into: TableAddress | None = None  # None: SELECT; else INSERT into a table with these columns and OTHER_FIELDS


def flatten_sql(query: FlattenQuery) -> str:
    """Write the Trino query: a SELECT of the columns, RECEIVED_TIME and OTHER_FIELDS, or an INSERT of them.

    `time` is the event time in seconds, or else the receive time of the row. A value that does not fit its column is
    null there and goes to OTHER_FIELDS. Rejected rows and events are left out; `count_sql` counts them.
    """
    events = query.events
    values = column_values(events, query.columns, received_time=query.received_time)
    select = [
        f"WITH {events.lines},",
        f"{deduplicated_events(events, query.filter, dedupe=query.dedupe)},",
        cte("opened", ["*", *events.opened], "first_ones"),
        select_values(values),
        "FROM opened",
    ]
    if query.into is not None:
        select.insert(0, insert_into(query.into, values))
    return "\n".join(select)


def column_values(events: Events, columns: Sequence[TableColumn], *, received_time: bool = True) -> dict[str, str]:
    """Write the expressions for the columns of a flat table, given `events.opened` and EVENT_SECONDS."""
    values = {column.name: _column_value(events, column) for column in columns}
    if received_time:
        values[RECEIVED_TIME] = events.received
    return {**values, OTHER_FIELDS: other_fields(events, columns)}


def select_values(values: Mapping[str, str]) -> str:
    listed = ",\n  ".join(f"{expression} AS {identifier(column)}" for column, expression in values.items())
    return f"SELECT\n  {listed}"


def insert_into(table: TableAddress, columns: Iterable[str]) -> str:
    return f"INSERT INTO {table_identifier(table)} ({', '.join(map(identifier, columns))})"


def deduplicated_events(events: Events, event_filter: Filter, *, dedupe: bool) -> str:
    """Write common table expressions; the last one, `first_ones`, has the events that pass the filter.

    It has the columns of `lines`, and EVENT_TYPE, EVENT_ID and EVENT_SECONDS, which are null if invalid.
    """
    # Events with invalid ids are not duplicates of each other.
    nth = f"ROW_NUMBER() OVER (PARTITION BY {EVENT_ID} ORDER BY {RECEIVED}, {NUMBER})"
    number = f"CASE WHEN {EVENT_ID} IS NULL THEN 1 ELSE {nth} END" if dedupe else "1"
    return ",\n".join(
        [
            usable_events(events, f"lines\n  WHERE {IS_EVENT}", events.name),
            cte(
                "filtered",
                ["*", f"{number} AS {_NTH_OF_ID}"],
                f"usable\n  WHERE {filter_condition(event_filter, EVENT_TYPE, EVENT_SECONDS)}",
            ),
            cte("first_ones", ["*"], f"filtered\n  WHERE {_NTH_OF_ID} = 1"),
        ]
    )


def usable_events(events: Events, lines: str, id_of: Callable[[str], str]) -> str:
    """Write common table expressions; the last one, `usable`, has the columns of `lines`, and those of its fields.

    They are EVENT_TYPE, EVENT_ID, which `id_of` makes of the extracted id, and EVENT_SECONDS; null if invalid.
    """
    raw = {field: identifier(f"{field} as string") for field in ENVELOPE}
    extracted = [f"{events.extract(((field,),))} AS {column}" for field, column in raw.items()]
    usable = [
        f"{events.name(raw['event_type'])} AS {EVENT_TYPE}",
        f"{id_of(raw['id'])} AS {EVENT_ID}",
        f"{events.seconds(raw['time'])} AS {EVENT_SECONDS}",
    ]
    return f"{cte('extracted', ['*', *extracted], lines)},\n{cte('usable', ['*', *usable], 'extracted')}"


def other_fields(events: Events, columns: Sequence[TableColumn]) -> str:
    """Write the expression for what does not fit the columns, given `events.opened`: a JSON object, or null."""
    maps = list(events.others(columns))
    joined = ",\n    ".join(maps)
    together = f"MAP_CONCAT(\n    {joined}\n  )" if len(maps) > 1 else maps[0]
    return f"NULLIF(JSON_FORMAT(CAST({together} AS JSON)), '{{}}')"


def _column_value(events: Events, column: TableColumn) -> str:
    if column.where is Where.EVENT and column.field == TIME:
        return f"COALESCE(CAST(FLOOR({EVENT_SECONDS}) AS BIGINT), {RECEIVED})"
    cell, kind = events.cell(column.where, column.field), sql_type(column)
    return f"TRY_CAST({cell} AS {kind})" if kind in MISFITS else cell


def dedupe_batches_sql(events: BatchEvents, event_filter: Filter = EVERYTHING) -> str:
    """Write the Trino query for `received`, `id`, `event_type`, `time` and `event` (JSON) of the events of batches."""
    return "\n".join(
        [
            f"WITH {events.lines},",
            deduplicated_events(events, event_filter, dedupe=True),
            "SELECT",
            f"  {RECEIVED} AS received,",
            f"  {EVENT_ID} AS id,",
            f"  {EVENT_TYPE} AS event_type,",
            f"  {EVENT_SECONDS} AS time,",
            "  JSON_FORMAT(event) AS event",
            "FROM first_ones",
        ]
    )


NTH: Final = "nth_of_its_id"


def dedupe_flat_sql(
    address: TableAddress, rows: Period, dialect: Dialect = Dialect.TRINO, event_filter: Filter = EVERYTHING
) -> str:
    """Write the query for all columns of flat events, keeping the earliest event of each id.

    It names no other columns, because the streaming connector only creates those that some event needs. Hive cannot
    exclude a column from `*`: there the result also has NTH, which is always 1.
    """
    event_id, time = dialect.quoted("id"), dialect.quoted("time")
    conditions = [receive_time_condition(rows, dialect)]
    if event_filter:
        conditions.append(filter_condition(event_filter, dialect.quoted("event_type"), time, dialect))
    source = f"FROM {table_identifier(address, dialect)}\n  WHERE {' AND '.join(conditions)}"
    has_id = f"{event_id} IS NOT NULL AND {event_id} <> ''"
    if dialect is Dialect.TRINO:
        # Whatever comes from outside is quoted.
        earliest = f"SELECT * FROM selected WHERE selected.{event_id} = ids.{event_id} ORDER BY {time} LIMIT 1"  # noqa: S608
        return "\n".join(
            [
                f"WITH selected AS (\n  SELECT *\n  {source}\n)",
                "SELECT earliest.*",
                f"FROM (SELECT DISTINCT {event_id} FROM selected WHERE {has_id}) ids",  # noqa: S608
                f"CROSS JOIN LATERAL ({earliest}) earliest",
                f"UNION ALL\nSELECT * FROM selected WHERE NOT COALESCE({has_id}, FALSE)",
            ]
        )
    nth = f"ROW_NUMBER() OVER (PARTITION BY {event_id} ORDER BY {time})"
    # In Spark, the columns of a row can be packed and unpacked without their names.
    row, columns = ("*", "*") if dialect is Dialect.HIVE else ("STRUCT(*) AS event", "event.*")
    numbered = f"CASE WHEN {has_id} THEN {nth} ELSE 1 END AS {NTH}"
    return f"SELECT {columns}\nFROM (\n  SELECT {row}, {numbered}\n  {source}\n) numbered\nWHERE {NTH} = 1"
