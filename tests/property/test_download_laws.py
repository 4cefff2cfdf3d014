"""However often connections break, a download comes to the same bytes, each of them once."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.errors import UnreachableError
from td_currents_cli.treasure_data.client import ATTEMPTS, BrokenError, gunzip, resumed_download


class Connection:
    """An answer that breaks after so many bytes; None for one that does not."""

    def __init__(self, data: bytes, begin: int, cut: int | None) -> None:
        self.begin = begin
        self._left = data[begin:] if cut is None else data[begin : begin + cut]
        self._breaks = cut is not None and begin + cut < len(data)

    def read(self, size: int, /) -> bytes:
        piece, self._left = self._left[: min(size, 7)], self._left[7:]
        if not piece and self._breaks:
            raise BrokenError
        return piece

    def close(self) -> None:
        """As Part."""


@given(
    data=st.binary(max_size=200),
    cuts=st.lists(st.integers(0, 40), max_size=ATTEMPTS - 1),
    ranges=st.lists(st.booleans(), min_size=ATTEMPTS, max_size=ATTEMPTS),
)
def test_all_bytes_come_once(data: bytes, cuts: list[int], ranges: list[bool]) -> None:
    left = [*cuts]
    honours = iter([*ranges, *[True] * len(data)])

    def fetch(begin: int) -> Connection:
        return Connection(data, begin if next(honours) else 0, left.pop(0) if left else None)

    assert b"".join(resumed_download(fetch, sleep=lambda _: None)) == data


@given(parts=st.lists(st.binary(max_size=50), max_size=4), size=st.integers(1, 30))
def test_all_of_it_is_unpacked(parts: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)
    split = (packed[begin : begin + size] for begin in range(0, len(packed), size))
    assert b"".join(gunzip(split)) == b"".join(parts)


@given(data=st.binary(min_size=1, max_size=100), lost=st.integers(1, 20))
def test_an_end_that_is_missing_is_noticed(data: bytes, lost: int) -> None:
    packed = gzip.compress(data)
    with pytest.raises(UnreachableError, match="incomplete"):
        list(gunzip(iter([packed[: max(1, len(packed) - lost)]])))
