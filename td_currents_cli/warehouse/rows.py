"""Rows of tables, downloaded as sources."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from pathlib import Path

from td_currents_cli.choices import Layout
from td_currents_cli.errors import OutputError
from td_currents_cli.read import Source
from td_currents_cli.warehouse.account import NO_ROWS
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.text import identifier, receive_time_condition, table_identifier
from td_currents_cli.warehouse.tables import Tables
from td_currents_cli.write.formats import json_line

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
        yield address, batch_lines(rows) if layout is Layout.BATCHES else event_lines(rows, names)


def batch_lines(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Write each row with a batch as JSON, in the form of `td query -f json -c`."""
    for cell, *_ in rows:
        yield json_line({BATCH: _plain(cell)})


def event_lines(rows: Iterable[Sequence[object]], columns: Sequence[str]) -> Iterator[bytes]:
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
