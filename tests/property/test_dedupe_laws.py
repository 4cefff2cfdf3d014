"""Laws of telling duplicates: it is what a set of all ids would say, in memory or on disk."""

import sqlite3
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.errors import OutputError
from td_currents_cli.events.dedupe import DIGEST, FirstTimes, digest, event_digest

IDS = st.lists(st.integers(0, 40).map(str))


@given(IDS, st.integers(1, 60), st.integers(1, 20))
def test_what_comes_first_is_told_as_by_a_set(ids: list[str], limit: int, at_once: int) -> None:
    """However few fit into memory, and in whatever portions they come."""
    seen: set[str] = set()
    expected = [not (each in seen or seen.add(each)) for each in ids]  # type: ignore[func-returns-value]  # that is the trick
    rest = iter(ids)
    with FirstTimes(limit) as first:
        portions = iter(lambda: list(islice(rest, at_once)), [])
        assert [new for some in portions for new in first.add(map(digest, some))] == expected
        assert len(first) == len(seen)
        assert (first.spilled > 0) == (len(seen) >= limit)


@given(st.lists(st.binary(min_size=DIGEST, max_size=DIGEST).map(lambda text: bytes(2) + text[2:]), max_size=60))
def test_digests_that_begin_alike_are_told_apart(digests: list[bytes]) -> None:
    """They stand side by side in memory, where the end of one and the beginning of the next may look like another."""
    repeating = [*digests, *(bytes(2) + each[5:] + each[2:5] for each in digests), *(bytes(2) + b"\0\1" * 7,) * 2]
    with FirstTimes() as first:
        told = first.add(repeating)
    assert told == [each not in repeating[:place] for place, each in enumerate(repeating)]


def test_what_has_no_digest_is_always_new() -> None:
    """None stands for what cannot be told apart."""
    with FirstTimes() as first:
        assert first.add([None, None, digest("a"), None, digest("a")]) == [True, True, True, True, False]


@pytest.mark.parametrize("event_id", [None, 5, "", ["a"], True])
def test_what_identifies_nothing_has_no_digest(event_id: object) -> None:
    """An id is a text that is not empty."""
    assert event_digest(event_id) is None


def test_ids_that_no_encoding_has_are_ids() -> None:
    """A lone surrogate is part of an id like any character; case counts."""
    assert len({event_digest(each) for each in ("\ud800", "\ud801", "a", "A", "é")}) == 5


def test_memory_is_small() -> None:
    """A million ids take less than 32 bytes each, 64 being promised."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with FirstTimes() as first:
        for begin in range(0, 200_000, 1000):
            first.add([digest(str(number)) for number in range(begin, begin + 1000)])
        taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # The buckets themselves take 8 MB, however many ids there are.
    assert (taken - 8_000_000) / 200_000 < 64


def test_a_full_disk_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite says becomes an error of the output, with what to do."""

    class Full:
        def execute(self, *_: object) -> object:
            raise sqlite3.OperationalError("database or disk is full")

        def close(self) -> None:
            pass

    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: Full())
    with FirstTimes(2) as first, pytest.raises(OutputError, match="disk is full") as caught:
        first.add(map(digest, "abc"))
    assert "TMPDIR" in caught.value.hint


def test_the_temporary_file_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name of it is left once it is closed."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with FirstTimes(1) as first:
        first.add(map(digest, "abc"))
    assert list(tmp_path.iterdir()) == []
