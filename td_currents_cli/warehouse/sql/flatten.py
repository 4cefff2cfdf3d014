"""The query that makes flat events of a table's batches, one in each row, where they are."""

from collections.abc import Sequence

from msgspec import Struct

from td_currents_cli.catalog.columns import OTHER_FIELDS, Column
from td_currents_cli.catalog.create_table import TIME
from td_currents_cli.catalog.event_types import Where
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.warehouse.address import Address
from td_currents_cli.warehouse.sql.events import Events
from td_currents_cli.warehouse.sql.others import typed
from td_currents_cli.warehouse.sql.text import name, step, table
from td_currents_cli.warehouse.sql.wanted import wanted


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
    columns: Sequence[Column]
    filter: Filter = EVERYTHING
    dedupe: bool = False
    into: Address | None = None


def flatten_sql(query: FlattenQuery) -> str:
    """The query, in Trino's dialect: a SELECT of the columns and of other fields, or an INSERT of them.

    `time` is the event's own, in seconds, or, where that is no time, when its row was received. A value that is not of
    its column's type is null there and stands among the other fields. Rows and elements that are no events are left
    out: `count_sql`, of the same events, counts them.
    """
    events = query.events
    values = {column.name: _value(events, column) for column in query.columns}
    values[OTHER_FIELDS] = other_fields(events, query.columns)
    select = [
        f"WITH {events.lines},",
        f"{first_ones(events, query.filter, dedupe=query.dedupe)},",
        step("opened", ["*", *events.opened], "first_ones"),
        "SELECT",
        "  " + ",\n  ".join(f"{expression} AS {name(column)}" for column, expression in values.items()),
        "FROM opened",
    ]
    if query.into is not None:
        select.insert(0, f"INSERT INTO {table(query.into)} ({', '.join(map(name, values))})")
    return "\n".join(select)


def first_ones(events: Events, meant: Filter, *, dedupe: bool) -> str:
    """Common table expressions, the last of which, `first_ones`, has the lines of the events that are meant.

    Beside the columns of `lines` it has `told_type`, `told_id` and `told_seconds`, null where they are none.
    """
    members = {"type": "event_type", "time": "time", "id": "id"}
    told = [f"{events.member(((path,),))} AS told_{column}_text" for column, path in members.items()]
    usable = [
        f"{events.name('told_type_text')} AS told_type",
        f"{events.name('told_id_text')} AS told_id",
        f"{events.seconds('told_time_text')} AS told_seconds",
    ]
    # Ids that are none identify nothing: such events are no duplicates of each other.
    place = "ROW_NUMBER() OVER (PARTITION BY told_id ORDER BY received, n)"
    number = f"CASE WHEN told_id IS NULL THEN 1 ELSE {place} END" if dedupe else "1"
    return ",\n".join(
        [
            step("told", ["*", *told], "lines\n  WHERE is_event"),
            step("usable", ["*", *usable], "told"),
            step("meant", ["*", f"{number} AS place"], f"usable\n  WHERE {wanted(meant, 'told_type', 'told_seconds')}"),
            step("first_ones", ["*"], "meant\n  WHERE place = 1"),
        ]
    )


def other_fields(events: Events, columns: Sequence[Column]) -> str:
    """What these columns cannot take of an event, given `events.opened`: JSON text, null where that is nothing."""
    maps = list(events.others(columns))
    joined = ",\n    ".join(maps)
    together = f"MAP_CONCAT(\n    {joined}\n  )" if len(maps) > 1 else maps[0]
    return f"NULLIF(JSON_FORMAT(CAST({together} AS JSON)), '{{}}')"


def _value(events: Events, column: Column) -> str:
    if column.where is Where.EVENT and column.field == TIME:
        return "COALESCE(CAST(FLOOR(told_seconds) AS BIGINT), received)"
    return typed(events.cell(column.where, column.field), column)
