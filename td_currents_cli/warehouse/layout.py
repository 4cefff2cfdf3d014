"""How a table keeps events: a batch in each row, or an event in each row."""

from collections.abc import Collection
from typing import Final

from td_currents_cli.choices import Layout
from td_currents_cli.errors import InputError
from td_currents_cli.warehouse.address import TableAddress

_FLAT: Final = "event_type"


def table_layout(address: TableAddress, columns: Collection[str]) -> Layout:
    """The layout of a table with such columns.

    Raises:
        InputError: there are no events in it.
    """
    if address.column in columns:
        return Layout.BATCHES
    if _FLAT in columns:
        return Layout.FLAT
    raise InputError(
        f"{address} has neither a column `{address.column}` with batches nor a column `{_FLAT}` of flat events",
        hint=f"Name the column with the batches: {address}?column=NAME.",
    )
