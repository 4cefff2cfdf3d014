"""The query that makes flat events of a table's batches, one in each row, where they are."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from td_currents_cli.braze import ENVELOPE
from td_currents_cli.catalog.columns import OTHER_FIELDS, TableColumn
from td_currents_cli.catalog.create_table import TIME
from td_currents_cli.catalog.event_types import Where
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.sql.events import IS_EVENT, NUMBER, RECEIVED, Events
from td_currents_cli.warehouse.sql.others import typed_cell
from td_currents_cli.warehouse.sql.text import cte, identifier, table_identifier
from td_currents_cli.warehouse.sql.wanted import filter_condition

EVENT_TYPE: Final = '"told type"'
EVENT_ID: Final = '"told id"'
EVENT_SECONDS: Final = '"told seconds"'
_NTH_OF_ID: Final = '"place of id"'


class FlattenQuery(Struct, frozen=True, kw_only=True):
    """Which events to make flat.

    Attributes:
        events: of which table.
        columns: what is wanted of each; see `catalog.columns`.
        filter: which of them.
        dedupe: whether only the first event of each id is wanted.
        into: the table that takes them; None where they are to be the result. It has to have these columns and that
            for other fields.
    """

    events: Events
    columns: Sequence[TableColumn]
    filter: Filter = EVERYTHING
    dedupe: bool = False
    into: TableAddress | None = None


def flatten_sql(query: FlattenQuery) -> str:
    """The query, in Trino's dialect: a SELECT of the columns and of other fields, or an INSERT of them.

    `time` is the event's own, in seconds, or, where that is no time, when its row was received. A value that is not of
    its column's type is null there and stands among the other fields. Rows and elements that are no events are left
    out: `count_sql`, of the same events, counts them.
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


def deduplicated_events(events: Events, meant: Filter, *, dedupe: bool) -> str:
    """Common table expressions, the last of which, `deduplicated_events`, has the lines of the events that are meant.

    Beside the columns of `lines` it has TOLD_TYPE, TOLD_ID and TOLD_SECONDS, null where they are none.
    """
    told = {path: identifier(f"{path} as text") for path in ENVELOPE}
    texts = [f"{events.member(((path,),))} AS {text}" for path, text in told.items()]
    usable = [
        f"{events.name(told['event_type'])} AS {EVENT_TYPE}",
        f"{events.name(told['id'])} AS {EVENT_ID}",
        f"{events.seconds(told['time'])} AS {EVENT_SECONDS}",
    ]
    # Ids that are none identify nothing: such events are no duplicates of each other.
    place = f"ROW_NUMBER() OVER (PARTITION BY {EVENT_ID} ORDER BY {RECEIVED}, {NUMBER})"
    number = f"CASE WHEN {EVENT_ID} IS NULL THEN 1 ELSE {place} END" if dedupe else "1"
    return ",\n".join(
        [
            cte("told", ["*", *texts], f"lines\n  WHERE {IS_EVENT}"),
            cte("usable", ["*", *usable], "told"),
            cte(
                "meant",
                ["*", f"{number} AS {_NTH_OF_ID}"],
                f"usable\n  WHERE {filter_condition(meant, EVENT_TYPE, EVENT_SECONDS)}",
            ),
            cte("first_ones", ["*"], f"meant\n  WHERE {_NTH_OF_ID} = 1"),
        ]
    )


def other_fields(events: Events, columns: Sequence[TableColumn]) -> str:
    """What these columns cannot take of an event, given `events.opened`: JSON text, null where that is nothing."""
    maps = list(events.others(columns))
    joined = ",\n    ".join(maps)
    together = f"MAP_CONCAT(\n    {joined}\n  )" if len(maps) > 1 else maps[0]
    return f"NULLIF(JSON_FORMAT(CAST({together} AS JSON)), '{{}}')"


def _column_value(events: Events, column: TableColumn) -> str:
    if column.where is Where.EVENT and column.field == TIME:
        return f"COALESCE(CAST(FLOOR({EVENT_SECONDS}) AS BIGINT), {RECEIVED})"
    return typed_cell(events.cell(column.where, column.field), column)
