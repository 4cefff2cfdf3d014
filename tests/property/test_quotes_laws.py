"""Law of quotes in CSV: pairs become one quote, however long the cell is."""

from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.read.formats.cell import undoubled


@given(st.binary(), st.integers(0, 2), st.integers(1, 3))
def test_pairs_of_quotes_become_one(cell: bytes, pairs: int, quotes: int) -> None:
    """As by `replace`, in short and in long cells, with any bytes."""
    long = cell + b'""' * pairs + b"x" * 5000 + b'"' * quotes + cell
    assert undoubled(cell) == cell.replace(b'""', b'"')
    assert undoubled(long) == long.replace(b'""', b'"')
