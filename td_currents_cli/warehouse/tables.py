"""Tables of Treasure Data as a command is told of them: which, from when, and how they are reached."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from td_currents_cli.choices import Layout
from td_currents_cli.errors import UsageError
from td_currents_cli.names import Site
from td_currents_cli.warehouse.access import Access
from td_currents_cli.warehouse.address import Address, address_of, is_address
from td_currents_cli.warehouse.layout import layout_of
from td_currents_cli.warehouse.period import Period

if TYPE_CHECKING:
    from td_currents_cli.warehouse.client import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Tables that are queried.

    Attributes:
        addresses: of them.
        period: when the rows were received that are looked at.
        access: how they are reached.
    """

    addresses: tuple[Address, ...]
    period: Period
    access: Access

    def ended(self, now: float) -> "Tables":
        """The same, without rows that are received from now on: several queries are about the same rows then."""
        period = self.period
        return self if period.until is not None else replace(self, period=Period(period.since, now))

    def opened(self) -> Iterator[tuple[Address, "Warehouse", Layout, Collection[str]]]:
        """Each table with the account it is in, how it keeps events, and its columns.

        Raises:
            UsageError: the account cannot be reached with these settings.
            InputError: a table is not there, or has no events.
            TdcurError: as `Warehouse.query`.
        """
        for address in self.addresses:
            warehouse = self.access.warehouse(address)
            columns = warehouse.columns(address.database, address.table)
            yield address, warehouse, layout_of(address, columns), columns


def addresses_of(paths: Sequence[str], *, site: Site | None, column: str | None) -> tuple[Address, ...]:
    """The tables among what a user gave as paths; none where all are files.

    Args:
        paths: as they were given.
        site: of `--site`.
        column: of `--column`.

    Raises:
        UsageError: some are tables and some are files, or one is no address of a table.
    """
    tables = [path for path in paths if is_address(path)]
    if tables and len(tables) < len(paths):
        raise UsageError("tables (td://…) and files cannot be read together", hint="Run the command for each of them.")
    return tuple(address_of(each, site=site, column=column) for each in tables)
