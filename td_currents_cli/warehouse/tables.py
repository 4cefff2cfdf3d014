"""The tables that a command queries, with their period and connection."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from td_currents_cli.braze import Site
from td_currents_cli.choices import Layout
from td_currents_cli.errors import UsageError
from td_currents_cli.warehouse.access import TdConnection
from td_currents_cli.warehouse.address import TableAddress, is_address, parse_address
from td_currents_cli.warehouse.layout import table_layout
from td_currents_cli.warehouse.period import Period

if TYPE_CHECKING:
    from td_currents_cli.warehouse.client import TdClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    addresses: tuple[TableAddress, ...]
    period: Period
    connection: TdConnection

    def until(self, now: float) -> "Tables":
        """End an open period now, so that several queries cover the same rows."""
        period = self.period
        return self if period.until is not None else replace(self, period=Period(period.since, now))

    def opened(self) -> Iterator[tuple[TableAddress, "TdClient", Layout, Collection[str]]]:
        """Yield each table with its client, layout and columns.

        Raises:
            UsageError: a setting is missing or invalid.
            InputError: a table does not exist, or has no events.
            TdcurError: as `TdClient.query`.
        """
        for address in self.addresses:
            client = self.connection.client(address)
            columns = client.columns(address.database, address.table)
            yield address, client, table_layout(address, columns), columns


def table_addresses(paths: Sequence[str], *, site: Site | None, column: str | None) -> tuple[TableAddress, ...]:
    """Parse the paths that are tables; return none if all are files.

    Raises:
        UsageError: tables and files are mixed, or an address is invalid.
    """
    tables = [path for path in paths if is_address(path)]
    if tables and len(tables) < len(paths):
        raise UsageError("tables (td://…) and files cannot be read together", hint="Run the command once for each.")
    return tuple(parse_address(each, site=site, column=column) for each in tables)
