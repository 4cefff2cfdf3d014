"""How a table keeps events: a batch in each row, or an event in each row."""

from collections.abc import Collection
from enum import Enum, auto
from typing import Final

from td_currents_cli.errors import InputError
from td_currents_cli.warehouse.address import Address

_FLAT: Final = "event_type"


class Layout(Enum):
    """What a row of a table is.

    The Postback API stores a whole batch as text in one column; the Braze Currents Streaming connector stores each
    event in a row of its own, its members in columns.
    """

    BATCHES = auto()
    FLAT = auto()


def layout_of(address: Address, columns: Collection[str]) -> Layout:
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
