"""Laws of the short cut for CSV rows: it gives what the csv module gives."""

import csv as module
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.model import Batch
from td_currents_cli.read.formats.cell import batch_text
from td_currents_cli.read.formats.delimited import RowLines, Table, csv_rows
from td_currents_cli.read.scanner import Scanner

PIECES = st.sampled_from(
    ['"', '""', '""""', ",", "[", "]", "{", "}", '"[', ']"', ',"[', "a", "é", " ", "\r", "null", ":"]
)
ROWS = st.lists(PIECES, max_size=10).map(lambda pieces: '1,"[' + "".join(pieces))


@given(st.one_of(ROWS, ROWS.map(lambda row: row + ']"')))
def test_a_row_is_what_the_csv_module_says(row: str) -> None:
    """The batch is the last of two cells; what the module refuses is refused."""
    scanner = Scanner(BytesIO(f"time,events\n{row}".encode()))
    scanner.take_line()
    (record,) = csv_rows(RowLines(scanner), "x", Table(names=["time", "events"], column=1, header=True))
    try:
        cells = next(module.reader([row.removesuffix("\r")], strict=True))
    except module.Error:
        cells = []
    if len(cells) == 2:
        assert isinstance(record, Batch)
        assert record.data == batch_text(cells[1])
    else:
        assert not isinstance(record, Batch)
