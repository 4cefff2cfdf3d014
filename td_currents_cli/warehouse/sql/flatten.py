"""The query that flattens the batches of a table inside Treasure Data."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from td_currents_cli.braze import ENVELOPE
from td_currents_cli.catalog.ddl import OTHER_FIELDS, TIME, TableColumn
from td_currents_cli.catalog.model import Where
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.sql.events import IS_EVENT, NUMBER, RECEIVED, Events
from td_currents_cli.warehouse.sql.others import typed_cell
from td_currents_cli.warehouse.sql.text import cte, identifier, table_identifier
from td_currents_cli.warehouse.sql.wanted import filter_condition

EVENT_TYPE: Final = '"usable type"'
EVENT_ID: Final = '"usable id"'
EVENT_SECONDS: Final = '"usable seconds"'
_NTH_OF_ID: Final = '"nth of id"'


class FlattenQuery(Struct, frozen=True, kw_only=True):
    events: Events
    columns: Sequence[TableColumn]
    filter: Filter = EVERYTHING
    dedupe: bool = False  # keep only the first event of each id
    into: TableAddress | None = None  # None: SELECT; else INSERT into a table with `columns` and OTHER_FIELDS


def flatten_sql(query: FlattenQuery) -> str:
    """Write the Trino query: a SELECT of the columns and OTHER_FIELDS, or an INSERT of them.

    `time` is the event time in seconds, or else the receive time of the row. A value that does not fit its column is
    null there and goes to OTHER_FIELDS. Rejected rows and events are left out; `count_sql` counts them.
    """
    events = query.events
    values = {column.name: _column_value(events, column) for column in query.columns}
    values[OTHER_FIELDS] = other_fields(events, query.columns)
    select = [
        f"WITH {events.lines},",
        f"{deduplicated_events(events, query.filter, dedupe=query.dedupe)},",
        cte("opened", ["*", *events.opened], "first_ones"),
        "SELECT",
        "  " + ",\n  ".join(f"{expression} AS {identifier(column)}" for column, expression in values.items()),
        "FROM opened",
    ]
    if query.into is not None:
        select.insert(0, f"INSERT INTO {table_identifier(query.into)} ({', '.join(map(identifier, values))})")
    return "\n".join(select)


def deduplicated_events(events: Events, event_filter: Filter, *, dedupe: bool) -> str:
    """Write common table expressions; the last one, `first_ones`, has the events that pass the filter.

    It has the columns of `lines`, and EVENT_TYPE, EVENT_ID and EVENT_SECONDS, which are null if invalid.
    """
    raw = {field: identifier(f"{field} as string") for field in ENVELOPE}
    extracted = [f"{events.extract(((field,),))} AS {column}" for field, column in raw.items()]
    usable = [
        f"{events.name(raw['event_type'])} AS {EVENT_TYPE}",
        f"{events.name(raw['id'])} AS {EVENT_ID}",
        f"{events.seconds(raw['time'])} AS {EVENT_SECONDS}",
    ]
    # Events with invalid ids are not duplicates of each other.
    nth = f"ROW_NUMBER() OVER (PARTITION BY {EVENT_ID} ORDER BY {RECEIVED}, {NUMBER})"
    number = f"CASE WHEN {EVENT_ID} IS NULL THEN 1 ELSE {nth} END" if dedupe else "1"
    return ",\n".join(
        [
            cte("extracted", ["*", *extracted], f"lines\n  WHERE {IS_EVENT}"),
            cte("usable", ["*", *usable], "extracted"),
            cte(
                "filtered",
                ["*", f"{number} AS {_NTH_OF_ID}"],
                f"usable\n  WHERE {filter_condition(event_filter, EVENT_TYPE, EVENT_SECONDS)}",
            ),
            cte("first_ones", ["*"], f"filtered\n  WHERE {_NTH_OF_ID} = 1"),
        ]
    )


def other_fields(events: Events, columns: Sequence[TableColumn]) -> str:
    """Write the expression for what does not fit the columns, given `events.opened`: a JSON object, or null."""
    maps = list(events.others(columns))
    joined = ",\n    ".join(maps)
    together = f"MAP_CONCAT(\n    {joined}\n  )" if len(maps) > 1 else maps[0]
    return f"NULLIF(JSON_FORMAT(CAST({together} AS JSON)), '{{}}')"


def _column_value(events: Events, column: TableColumn) -> str:
    if column.where is Where.EVENT and column.field == TIME:
        return f"COALESCE(CAST(FLOOR({EVENT_SECONDS}) AS BIGINT), {RECEIVED})"
    return typed_cell(events.cell(column.where, column.field), column)
