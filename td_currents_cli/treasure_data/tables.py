"""The connection settings of a command, from which each table gets its client."""

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from td_currents_cli.braze import Site
from td_currents_cli.catalog.ddl import RECEIVED_TIME
from td_currents_cli.choices import Layout
from td_currents_cli.errors import OutputError, UsageError, install_hint
from td_currents_cli.read import Source
from td_currents_cli.read.formats.flat import is_streaming
from td_currents_cli.treasure_data.address import (
    Period,
    TableAddress,
    check_into,
    is_address,
    parse_address,
    table_layout,
)
from td_currents_cli.treasure_data.settings import td_settings
from td_currents_cli.treasure_data.sql.text import identifier, receive_time_condition, table_identifier
from td_currents_cli.treasure_data.totals import NO_ROWS
from td_currents_cli.treasure_data.updates import ProgressCallback
from td_currents_cli.write.formats import json_line

if TYPE_CHECKING:
    from td_currents_cli.treasure_data.client import RetryPolicy, TdClient


@dataclass(frozen=True, slots=True, kw_only=True)
class TdConnection:
    key_file: str | None = None
    on_progress: ProgressCallback = lambda _: None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    retry_policy: "RetryPolicy | None" = None

    def client(self, address: TableAddress) -> "TdClient":
        """Open the account that a table is in.

        Raises:
            UsageError: there is no API key, a setting is invalid, or Treasure Data's client is not installed.
        """
        settings = td_settings(address.site, self.key_file, self.environ)
        try:
            from td_currents_cli.treasure_data.client import TdClient  # noqa: PLC0415 -- slow to import, and optional
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in {"tdclient", "msgpack", "urllib3"}:
                raise
            raise UsageError(
                f"{address}: Treasure Data's Python client is not installed",
                hint=install_hint("td"),
            ) from None
        return TdClient(settings, on_progress=self.on_progress, retry_policy=self.retry_policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    addresses: tuple[TableAddress, ...]
    period: Period
    connection: TdConnection

    def until(self, now: float) -> "Tables":
        """End an open period now, so that several queries cover the same rows."""
        period = self.period
        return self if period.until is not None else replace(self, period=Period(period.since, now))

    def only(self, into: TableAddress) -> tuple[TableAddress, "TdClient", Layout, Collection[str]]:
        """Open the one table whose events are inserted into another; see `opened`.

        Raises:
            UsageError: there are several, or the two are the same, or at different sites.
        """
        if len(self.addresses) != 1:
            raise UsageError("--into works with one table at a time", hint="Run the command once for each table.")
        check_into(self.addresses[0], into)
        (found,) = self.opened()
        return found

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


def has_receive_times(layout: Layout, columns: Collection[str]) -> bool:
    """Whether `time` is the receive time in a table of events, which it is in those of the streaming connector."""
    return layout is Layout.FLAT and RECEIVED_TIME not in columns and is_streaming(dict.fromkeys(columns))


def table_addresses(paths: Sequence[str], *, site: Site | None, column: str | None) -> tuple[TableAddress, ...]:
    """Parse the paths that are tables; return none if all are files.

    Raises:
        UsageError: tables and files are mixed, or an address is invalid.
    """
    tables = [path for path in paths if is_address(path)]
    if tables and len(tables) < len(paths):
        raise UsageError("tables (td://…) and files cannot be read together", hint="Run the command once for each.")
    return tuple(parse_address(each, site=site, column=column) for each in tables)


BATCH = "events"  # the column with the batch in the downloaded rows, whatever its name in the table


@contextmanager
def downloaded(tables: Tables) -> Iterator[list[Source]]:
    """Download the rows of each table into a temporary file, for the duration of the block.

    The download is complete before the rows are read, so that a failed download has no partial results.

    Raises:
        OutputError: the rows do not fit on the disk.
        TdcurError: a query or the download failed; see `TdClient.query`.
    """
    with tempfile.TemporaryDirectory(prefix="tdcur-rows-") as folder:
        sources = []
        for number, (address, lines) in enumerate(_lines(tables)):
            file = Path(folder) / f"{number}.jsonl"
            _write(file, lines)
            sources.append(Source(str(address), file, NO_ROWS))
        yield sources


def rows_sql(address: TableAddress, period: Period, columns: Sequence[str]) -> str:
    listed = ", ".join(map(identifier, columns))
    return f"SELECT {listed}\nFROM {table_identifier(address)}\nWHERE {receive_time_condition(period)}"


def _lines(tables: Tables) -> Iterator[tuple[TableAddress, Iterator[bytes]]]:
    for address, client, layout, columns in tables.opened():
        names = [address.column] if layout is Layout.BATCHES else list(dict.fromkeys(["time", *columns]))
        rows = client.rows(client.query(rows_sql(address, tables.period, names), address.database))
        # Batches in the form of `td query -f json -c`.
        batches = (json_line({BATCH: _plain(cell)}) for cell, *_ in rows)
        yield address, batches if layout is Layout.BATCHES else _event_lines(rows, names)


def _event_lines(rows: Iterable[Sequence[object]], columns: Sequence[str]) -> Iterator[bytes]:
    """Write each flat event as JSON. Null columns are left out, as in the connector's events."""
    for cells in rows:
        there = [cell is not None for cell in cells]
        yield json_line(dict(zip(compress(columns, there), map(_plain, compress(cells, there)), strict=True)))


def _plain(cell: object) -> object:
    # msgpack also has bytes.
    return cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else cell


def _write(file: Path, lines: Iterator[bytes]) -> None:
    try:
        with file.open("wb") as output:
            output.writelines(lines)
    except OSError as error:
        raise OutputError(
            f"cannot write the rows to a temporary file: {error.strerror}",
            hint="Free some space, or set TMPDIR to a folder on a larger disk.",
        ) from None
