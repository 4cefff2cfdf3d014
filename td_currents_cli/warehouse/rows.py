"""The rows of tables, downloaded: sources like all others."""

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
from td_currents_cli.write.json_text import json_line

BATCH = "events"
"""The column that a row in a file has its batch in, whatever the table calls it."""


@contextmanager
def downloaded(tables: Tables) -> Iterator[list[Source]]:
    """The rows of each table as a source of its name, in a temporary file until the end of the block.

    They are whole before anything is made of them: a download that fails leaves no half of it behind.

    Raises:
        OutputError: they do not fit on the disk.
        TdcurError: a table cannot be asked, or its rows cannot be downloaded; see `Warehouse.query`.
    """
    with tempfile.TemporaryDirectory(prefix="tdcur-rows-") as folder:
        sources = []
        for number, (address, lines) in enumerate(_lines(tables)):
            file = Path(folder) / f"{number}.jsonl"
            _write(file, lines)
            sources.append(Source(str(address), file, NO_ROWS))
        yield sources


def rows_sql(address: TableAddress, period: Period, columns: Sequence[str]) -> str:
    """The query for columns of the rows of a period."""
    listed = ", ".join(map(identifier, columns))
    return f"SELECT {listed}\nFROM {table_identifier(address)}\nWHERE {receive_time_condition(period)}"


def _lines(tables: Tables) -> Iterator[tuple[TableAddress, Iterator[bytes]]]:
    for address, warehouse, layout, columns in tables.opened():
        names = [address.column] if layout is Layout.BATCHES else list(dict.fromkeys(["time", *columns]))
        rows = warehouse.rows(warehouse.query(rows_sql(address, tables.period, names), address.database))
        yield address, batch_lines(rows) if layout is Layout.BATCHES else event_lines(rows, names)


def batch_lines(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A row with a batch as a line of JSON, as `td query -f json -c` has it."""
    for cell, *_ in rows:
        yield json_line({BATCH: _plain(cell)})


def event_lines(rows: Iterable[Sequence[object]], columns: Sequence[str]) -> Iterator[bytes]:
    """A flat event as a line of JSON; a column that is null is no member, as the connector leaves nulls out."""
    for cells in rows:
        there = [cell is not None for cell in cells]
        yield json_line(dict(zip(compress(columns, there), map(_plain, compress(cells, there)), strict=True)))


def _plain(cell: object) -> object:
    """A cell as JSON can say it: bytes, which msgpack has too, are text."""
    return cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else cell


def _write(file: Path, lines: Iterator[bytes]) -> None:
    try:
        with file.open("wb") as output:
            output.writelines(lines)
    except OSError as error:
        raise OutputError(
            f"cannot keep the rows in a temporary file: {error.strerror}",
            hint="Make room there, or set TMPDIR to a larger disk.",
        ) from None
