"""Laws of the short cut for CSV rows: it gives what the csv module gives."""

import csv as module
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.model import Batch
from td_currents_cli.read.formats.cell import batch_text
from td_currents_cli.read.formats.delimited import MIN_SQLITE_SIZE, RowLines, csv_rows, undoubled
from td_currents_cli.read.scanner import Scanner

PIECES = st.sampled_from(
    ['"', '""', '""""', ",", "[", "]", "{", "}", '"[', ']"', ',"[', "a", "é", " ", "\r", "null", ":"]
)
ROWS = st.lists(PIECES, max_size=10).map(lambda pieces: '1,"[' + "".join(pieces))


@given(st.binary(), st.integers(0, 2), st.integers(1, 3))
def test_pairs_of_quotes_become_one(text: bytes, pairs: int, quotes: int) -> None:
    """As by `replace`, in short and in long input, with any bytes."""
    long = text + b'""' * pairs + b"x" * MIN_SQLITE_SIZE + b'"' * quotes + text
    assert undoubled(text) == text.replace(b'""', b'"')
    assert undoubled(long) == long.replace(b'""', b'"')


@given(st.one_of(ROWS, ROWS.map(lambda row: row + ']"')))
def test_a_row_is_what_the_csv_module_says(row: str) -> None:
    """The batch is the last of two cells; what the module refuses is refused."""
    scanner = Scanner(BytesIO(f"time,events\n{row}".encode()))
    scanner.take_line()
    (record,) = csv_rows(RowLines(scanner), "x", ["time", "events"])
    try:
        cells = next(module.reader([row.removesuffix("\r")], strict=True))
    except module.Error:
        cells = []
    if len(cells) == 2:
        assert isinstance(record, Batch)
        assert record.data == batch_text(cells[1])
    else:
        assert not isinstance(record, Batch)
