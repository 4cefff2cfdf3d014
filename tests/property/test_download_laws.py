"""However often connections break, a download comes to the same bytes, each of them once."""

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.errors import UnreachableError
from td_currents_cli.treasure_data.client import ATTEMPTS, BrokenError, gunzip, resumed_download


def connection(data: bytes, cut: int | None) -> Iterator[bytes]:
    """The bytes of a response, which breaks after so many; None for one that does not."""
    for begin in range(0, len(data[:cut]), 7):
        yield data[begin : begin + 7][: len(data[:cut]) - begin]
    if cut is not None and cut < len(data):
        raise BrokenError


@given(
    data=st.binary(max_size=200),
    cuts=st.lists(st.integers(0, 40), max_size=ATTEMPTS - 1),
    ranges=st.lists(st.booleans(), min_size=ATTEMPTS, max_size=ATTEMPTS),
)
def test_all_bytes_come_once(data: bytes, cuts: list[int], ranges: list[bool]) -> None:
    left = [*cuts]
    honours = iter([*ranges, *[True] * len(data)])

    def fetch(begin: int) -> tuple[int, Iterator[bytes]]:
        begin = begin if next(honours) else 0
        return begin, connection(data[begin:], left.pop(0) if left else None)

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
