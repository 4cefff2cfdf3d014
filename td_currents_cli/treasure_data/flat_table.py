"""The columns of a table that flat events are inserted into: of a new one, or of one that is there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from td_currents_cli.catalog.ddl import (
    ADDED_COLUMNS,
    OTHER_FIELDS,
    RECEIVED_TIME,
    TIME,
    TableColumn,
    add_column_sql,
    create_table_sql,
    flat_columns,
)
from td_currents_cli.catalog.model import EventType, FieldType
from td_currents_cli.choices import Names
from td_currents_cli.errors import UsageError
from td_currents_cli.treasure_data.address import TableAddress

_TYPES: Final = {
    "string": FieldType.STRING,
    "varchar": FieldType.STRING,
    "int": FieldType.LONG,
    "long": FieldType.LONG,
    "bigint": FieldType.LONG,
    "float": FieldType.FLOAT,
    "double": FieldType.FLOAT,
}
"""By the names of column types that Treasure Data's API returns; Trino's own are accepted, too."""


class Target(Struct, frozen=True, kw_only=True):
    """A table for flat events. It has OTHER_FIELDS, for all that fits no other column."""

    address: TableAddress
    columns: tuple[TableColumn, ...]  # that are filled, besides ADDED_COLUMNS
    has_received_time: bool = True
    existing: Mapping[str, str] | None = None  # all columns and their types; None if the table is missing

    @property
    def create_sql(self) -> str:
        return create_table_sql(_name(self.address), self.columns)


def target_table(
    address: TableAddress,
    existing: Mapping[str, str] | None,
    events: Iterable[EventType],
    required: Collection[str] = (OTHER_FIELDS,),
) -> Target:
    """Determine which columns of a table are filled with fields of these event types.

    A new table has a column for each field. In an existing one, the columns may be named in any way of `Names`; fields
    without a column go to OTHER_FIELDS.

    Raises:
        UsageError: the table lacks a required column, or has it with another type.
    """
    listed = tuple(events)
    columns = flat_columns(listed, Names.STREAMING)
    if existing is None:
        return Target(address=address, columns=columns)
    for name in required:
        if name not in existing:
            raise _no_column_error(address, name)
        wanted = FieldType.LONG if name == RECEIVED_TIME else FieldType.STRING
        if _TYPES.get(existing[name]) is not wanted:
            raise UsageError(
                f"the column `{name}` of {address} has the type {existing[name]}, not {_NAMES[wanted]}",
                hint="Rename the column and add one of that type, or name a new table, which will be created.",
            )
    return Target(
        address=address,
        columns=tuple(_columns_of(existing, listed)),
        has_received_time=existing.get(RECEIVED_TIME) in _INTEGERS,
        existing=existing,
    )


_NAMES: Final = {FieldType.LONG: "BIGINT", FieldType.STRING: "VARCHAR"}
_INTEGERS: Final = frozenset(name for name, kind in _TYPES.items() if kind is FieldType.LONG)


def _columns_of(existing: Mapping[str, str], events: Sequence[EventType]) -> Iterable[TableColumn]:
    known = {column.name: column for names in Names for column in flat_columns(events, names)}
    known |= {column.name: column for column in flat_columns(events, Names.STREAMING)}
    yield known[TIME]
    for name, kind in existing.items():
        if name in known and name != TIME and kind in _TYPES:
            column = known[name]
            yield TableColumn(name, column.where, column.field, _TYPES[kind])


def _no_column_error(address: TableAddress, name: str) -> UsageError:
    if name in ADDED_COLUMNS:
        reason = (
            "fields without a column would be lost" if name == OTHER_FIELDS else "it holds the receive time, an integer"
        )
        hint = f"Add it: {add_column_sql(_name(address), name)}"
    else:
        reason, hint = "this table is not one of flat events", "Name a new table, which will be created."
    return UsageError(f"{address} has no column `{name}`: {reason}", hint=hint)


def _name(address: TableAddress) -> tuple[str, str]:
    return address.database, address.table
