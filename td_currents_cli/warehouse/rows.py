"""Rows of a result as the records that every verb reads."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record, Records
from td_currents_cli.read.rows.cell import EMPTY_BATCH, batch_text
from td_currents_cli.warehouse.address import Address
from td_currents_cli.warehouse.layout import Layout
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.text import name, received, table
from td_currents_cli.warehouse.tables import Tables
from td_currents_cli.write.json_text import json_line


def table_records(tables: Tables) -> Records:
    """The rows of tables, downloaded.

    Raises:
        TdcurError: a table cannot be asked, or its rows cannot be downloaded; see `Warehouse.query`.
    """
    for address, warehouse, layout, columns in tables.opened():
        names = (
            [address.column] if layout is Layout.BATCHES else ["time", *(each for each in columns if each != "time")]
        )
        answer = warehouse.query(rows_sql(address, tables.period, names), address.database)
        rows = warehouse.rows(answer)
        if layout is Layout.BATCHES:
            yield from batches((row[0] for row in rows), str(address))
        else:
            yield from flat_events(rows, names, str(address))


def rows_sql(address: Address, period: Period, columns: Sequence[str]) -> str:
    """The query for columns of the rows of a period."""
    listed = ", ".join(map(name, columns))
    return f"SELECT {listed}\nFROM {table(address)}\nWHERE {received(period)}"


def batches(cells: Iterable[object], source: str) -> Iterator[Record]:
    """A batch for each row, given the cell that holds it: text, an array or an object as they are, or null.

    Args:
        cells: of the column with the batches.
        source: the table, as messages name it.
    """
    for row, cell in enumerate(cells, 1):
        place = Location(source=source, row=row)
        if isinstance(cell, str):
            yield Batch(batch_text(cell), place)
        elif cell is None:
            yield Batch(EMPTY_BATCH, place)
        elif isinstance(cell, list | dict):
            yield Batch(_json(cell), place)
        else:
            message = f"a cell with a batch is text, found {type(cell).__name__}"
            yield Problem(code=Code.BAD_ROW, location=place, message=message, raw=_json(cell))


def flat_events(rows: Iterable[Sequence[object]], columns: Sequence[str], source: str) -> Iterator[Record]:
    """A bare event for each row, given its cells; a column that is null is no member, as the connector leaves them out.

    Args:
        rows: their cells in the order of `columns`.
        columns: their names.
        source: the table, as messages name it.
    """
    for row, cells in enumerate(rows, 1):
        there = [cell is not None for cell in cells]
        event = dict(zip(compress(columns, there), map(_plain, compress(cells, there)), strict=True))
        yield Batch(_json(event), Location(source=source, row=row))


def _json(value: object) -> bytes:
    return json_line(value).rstrip(b"\n")


def _plain(cell: object) -> object:
    """A cell as JSON can say it: bytes, which msgpack has too, are text."""
    return cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else cell
