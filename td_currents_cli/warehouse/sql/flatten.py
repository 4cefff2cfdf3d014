"""The query that makes flat events of a table's batches, one in each row, where they are."""

from collections.abc import Sequence

from msgspec import Struct

from td_currents_cli.catalog.columns import Column
from td_currents_cli.catalog.create_table import TIME, type_of
from td_currents_cli.catalog.event_types import FieldType, Where
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.warehouse.address import Address
from td_currents_cli.warehouse.sql.events import Events
from td_currents_cli.warehouse.sql.text import name, step, table
from td_currents_cli.warehouse.sql.wanted import wanted


class FlattenQuery(Struct, frozen=True, kw_only=True):
    """Which events to make flat.

    Attributes:
        events: of which table.
        columns: what is wanted of each; see `catalog.columns`.
        filter: which of them.
        dedupe: whether only the first event of each id is wanted.
        into: the table that takes them; None where they are to be the result. It has to have these columns.
    """

    events: Events
    columns: Sequence[Column]
    filter: Filter = EVERYTHING
    dedupe: bool = False
    into: Address | None = None


def flatten_sql(query: FlattenQuery) -> str:
    """The query, in Trino's dialect: a SELECT of the columns, or an INSERT of them.

    `time` is the event's own, in seconds, or, where that is no time, when its row was received. A value that is not of
    its column's type is null. Rows and elements that are no events are left out: `count_sql`, of the same events,
    counts them.
    """
    listed = [f"{_value(query.events, column)} AS {name(column.name)}" for column in query.columns]
    select = [
        f"WITH {query.events.lines},",
        f"{first_ones(query.events, query.filter, dedupe=query.dedupe)}",
        "SELECT",
        "  " + ",\n  ".join(listed),
        "FROM first_ones",
    ]
    if query.into is not None:
        columns = ", ".join(name(column.name) for column in query.columns)
        select.insert(0, f"INSERT INTO {table(query.into)} ({columns})")
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


def _value(events: Events, column: Column) -> str:
    if column.where is Where.EVENT and column.field == TIME:
        return "COALESCE(CAST(FLOOR(told_seconds) AS BIGINT), received)"
    cell = events.cell(column.where, column.field)
    kind = type_of(column)
    if kind in {FieldType.INT, FieldType.LONG}:
        return f"TRY_CAST({cell} AS BIGINT)"
    return f"TRY_CAST({cell} AS DOUBLE)" if kind is FieldType.FLOAT else cell
