"""Properties of the set of ids: it finds what a dict of all ids finds, in memory and on disk."""

import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.errors import OutputError
from td_currents_cli.events.dedupe import IdSet, digest, event_digest

IDS = st.lists(st.integers(0, 40).map(str))


@given(IDS, st.integers(1, 60), st.integers(1, 20), st.sampled_from([digest, hash]))
def test_duplicates_are_those_that_a_dict_finds(
    ids: list[str], limit: int, at_once: int, key: Callable[[str], Any]
) -> None:
    """However few ids fit into memory, however many are added at once, by digest or by hash."""
    first: dict[str, int] = {}
    with IdSet(limit) as seen:
        for number, begin in enumerate(range(0, len(ids), at_once)):
            some = ids[begin : begin + at_once]
            expected = {}
            for index, each in enumerate(some):
                if each in first:
                    expected[index] = first[each]
                first.setdefault(each, number)
            assert seen.add([key(each) for each in some], number) == expected
        assert len(seen) == len(first)
        assert (seen.spilled > 0) == (len(first) >= limit)


def test_many_ids_beyond_the_limit_are_found_on_disk() -> None:
    """More than one query may ask for; a second spill adds to the first."""
    ids = [digest(str(number)) for number in range(4000)]
    with IdSet(1000) as seen:
        for number, begin in enumerate(range(0, 4000, 800)):
            assert seen.add(ids[begin : begin + 800], number) == {}
        assert (len(seen), seen.spilled >= 3000) == (4000, True)
        assert seen.add(ids, 9) == {index: index // 800 for index in range(4000)}
        assert len(seen) == 4000


def test_what_has_no_digest_is_never_a_duplicate() -> None:
    """None stands for an event without an id."""
    with IdSet() as seen:
        assert seen.add([None, None, digest("a"), None, digest("a")]) == {4: 0}


def test_an_id_is_a_string_that_is_not_empty() -> None:
    """A lone surrogate is part of an id like any character; case counts."""
    assert {event_digest(each) for each in (None, 5, "", ["a"], True)} == {None}
    assert len({None, *map(event_digest, ("\ud800", "\ud801", "a", "A", "é"))}) == 6


@pytest.mark.parametrize(("key", "promised"), [(digest, 95), (hash, 77)])
def test_memory_is_as_stated(key: Callable[[str], Any], promised: int) -> None:
    """Bytes per id, when the dict is full: as the class says."""
    full = 174_762  # two thirds of 2**18
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with IdSet() as seen:
        for begin in range(0, full - 999, 1000):
            seen.add([key(str(number)) for number in range(begin, begin + 1000)])
        taken = tracemalloc.get_traced_memory()[0] - before
        count = len(seen)
    tracemalloc.stop()
    assert taken / count < promised + 1


def test_a_full_disk_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of SQLite becomes an OutputError with what to do."""

    class Full:
        def execute(self, *_: object) -> object:
            raise sqlite3.OperationalError("database or disk is full")

        def close(self) -> None:
            pass

    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: Full())
    with IdSet(2) as seen, pytest.raises(OutputError, match="disk is full") as caught:
        seen.add([digest(each) for each in "abc"])
    assert "TMPDIR" in caught.value.hint


def test_the_temporary_file_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with IdSet(1) as seen:
        seen.add([digest(each) for each in "abc"])
        assert seen.spilled == 3
    assert list(tmp_path.iterdir()) == []
