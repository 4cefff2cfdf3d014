"""Whether a table has a batch or an event per row."""

from collections.abc import Collection
from typing import Final

from td_currents_cli.choices import Layout
from td_currents_cli.errors import InputError
from td_currents_cli.warehouse.address import TableAddress

_FLAT: Final = "event_type"


def table_layout(address: TableAddress, columns: Collection[str]) -> Layout:
    """Tell the layout of a table from its columns.

    Raises:
        InputError: the table has no events.
    """
    if address.column in columns:
        return Layout.BATCHES
    if _FLAT in columns:
        return Layout.FLAT
    raise InputError(
        f"{address} has neither a column `{address.column}` (batches) nor a column `{_FLAT}` (flat events)",
        hint=f"Name the column with the batches: {address}?column=NAME.",
    )
