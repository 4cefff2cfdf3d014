"""Tables of Treasure Data as a command is told of them: which, from when, and how they are reached."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from td_currents_cli.choices import Layout
from td_currents_cli.errors import UsageError
from td_currents_cli.names import Site
from td_currents_cli.warehouse.access import TdConnection
from td_currents_cli.warehouse.address import TableAddress, is_address, parse_address
from td_currents_cli.warehouse.layout import table_layout
from td_currents_cli.warehouse.period import Period

if TYPE_CHECKING:
    from td_currents_cli.warehouse.client import TdClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Tables that are queried.

    Attributes:
        addresses: of them.
        period: when the rows were received that are looked at.
        access: how they are reached.
    """

    addresses: tuple[TableAddress, ...]
    period: Period
    access: TdConnection

    def ended(self, now: float) -> "Tables":
        """The same, without rows that are received from now on: several queries are about the same rows then."""
        period = self.period
        return self if period.until is not None else replace(self, period=Period(period.since, now))

    def opened(self) -> Iterator[tuple[TableAddress, "TdClient", Layout, Collection[str]]]:
        """Each table with the account it is in, how it keeps events, and its columns.

        Raises:
            UsageError: the account cannot be reached with these settings.
            InputError: a table is not there, or has no events.
            TdcurError: as `Warehouse.query`.
        """
        for address in self.addresses:
            warehouse = self.access.warehouse(address)
            columns = warehouse.columns(address.database, address.table)
            yield address, warehouse, table_layout(address, columns), columns


def table_addresses(paths: Sequence[str], *, site: Site | None, column: str | None) -> tuple[TableAddress, ...]:
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
    return tuple(parse_address(each, site=site, column=column) for each in tables)
