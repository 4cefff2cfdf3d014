"""The journal: what was delivered is known again, once for each delivery; and what can be wrong with its file."""

import os
import random
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_currents_cli.errors import ExitCode
from td_currents_cli.journal.keys import DOCUMENT, EVENT, document_key, event_keys, split_keys
from td_currents_cli.journal.writer import GROUP, MAX_MET, Journal, JournalError
from tests.journals import OTHER_FILES, URL, changed, delivered, opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


A, B, C = (document_key(name) for name in (b"a", b"b", b"c"))
EVENTS = event_keys([b'{"id":"%d"}' % number for number in range(5)])


def test_a_new_journal_knows_nothing(file: Path) -> None:
    with closing(opened(file)) as journal:
        assert journal.kinds == frozenset()
        assert journal.take(A + EVENTS) == frozenset()
        journal.record(A)
        journal.commit()
        modes = {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
    assert modes == {0o600}


def test_what_one_run_delivers_is_known_to_the_next_ones(file: Path) -> None:
    delivered(file, A, EVENTS)
    for _ in range(2):
        with closing(opened(file)) as journal:
            assert journal.kinds == {DOCUMENT, EVENT}
            assert journal.take(A + B) == {0}
            assert journal.take(EVENTS) == {0, 1, 2, 3, 4}


def test_how_often_a_key_was_met_is_also_counted_beyond_the_memory_limit(file: Path) -> None:
    keys = [document_key(b"%d" % number) for number in range(2 * MAX_MET + 5)]
    delivered(file, *keys, *keys[:7])
    with closing(opened(file)) as journal:
        assert sum(len(journal.take(key)) for key in keys) == len(keys)
        assert sum(len(journal.take(key)) for key in keys) == 7
        assert journal.take(b"".join(keys)) == frozenset()


def test_a_run_does_not_know_what_it_has_delivered_itself(file: Path) -> None:
    with closing(opened(file)) as journal:
        journal.record(A)
        journal.commit()
        assert journal.take(A) == frozenset()
        journal.record(A)
    with closing(opened(file)) as journal:
        assert journal.take(A + A + A) == {0, 1}


def test_endpoints_and_keys_are_distinguished(file: Path) -> None:
    delivered(file, A)
    for url, key, knows_others in (("https://example.com/y", b"c", False), (URL, b"d", True)):
        with closing(opened(file, url, key)) as journal:
            assert journal.take(A) == frozenset()
            assert journal.knows_others is knows_others


def test_without_a_key_the_latest_one_counts(file: Path) -> None:
    for known in (frozenset[int](), {0}):
        with closing(opened(file, key=None)) as journal:
            assert journal.take(A) == known
        delivered(file, A)


def test_it_is_committed_in_groups(file: Path) -> None:
    with closing(opened(file)) as journal:
        for number in range(GROUP - 1):
            journal.record(document_key(b"%d" % number))
        assert len(journal.pending) == GROUP - 1
        journal.record(A)
        assert journal.pending == []


def test_what_is_recorded_while_another_thread_commits_is_kept_once(file: Path) -> None:
    keys = [document_key(b"%d" % number) for number in range(20 * GROUP + 5)]
    noted = threading.Event()
    with closing(opened(file)) as journal:

        def commit() -> None:
            while not noted.is_set():
                journal.commit()

        thread = threading.Thread(target=commit)
        thread.start()
        for key in keys:
            journal.record(key, b"events of it")
            assert len(journal.pending) < GROUP
        noted.set()
        thread.join()
    with closing(sqlite3.connect(file)) as connection:
        assert [key for (key,) in connection.execute("SELECT keys FROM request ORDER BY id")] == keys
        assert connection.execute("SELECT count(*) FROM sent").fetchone() == (len(keys),)


def test_after_kill_9_all_but_the_last_group_is_known(file: Path) -> None:
    script = f"""
import os, pathlib
from td_currents_cli.journal.keys import document_key
from tests.journals import opened
journal = opened(pathlib.Path({str(file)!r}))
for number in range(1000):
    journal.record(document_key(b"%d" % number))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    with closing(opened(file)) as journal:
        known = journal.take(b"".join(document_key(b"%d" % number) for number in range(1000)))
    assert known == frozenset(range(1000 - 1000 % GROUP))


def test_two_runs_do_not_share_a_journal(file: Path) -> None:
    with closing(opened(file)) as journal:
        with pytest.raises(JournalError, match="another run") as caught:
            opened(file)
        assert "--journal" in caught.value.hint
        journal.record(A)
    with closing(opened(file)) as journal:
        assert journal.take(A) == {0}


def test_of_many_runs_that_start_at_once_one_gets_the_journal(file: Path) -> None:
    got: list[Journal] = []
    refused: list[JournalError] = []
    barrier = threading.Barrier(6)

    def begin() -> None:
        barrier.wait()
        try:
            got.append(opened(file))
        except JournalError as error:
            refused.append(error)

    with ThreadPoolExecutor(6) as threads:
        for _ in range(6):
            threads.submit(begin)
    assert (len(got), len(refused)) == (1, 5)
    got[0].close()


@pytest.mark.parametrize(("make", "said"), OTHER_FILES)
def test_another_file_is_refused_and_left_unchanged(file: Path, make: Callable[[Path], None], said: str) -> None:
    make(file)
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(JournalError, match=said) as caught:
        opened(file)
    assert caught.value.exit_code is ExitCode.IO
    assert caught.value.hint
    assert str(file) in caught.value.message
    assert (file.read_bytes() if file.is_file() else b"") == before


def test_a_journal_that_is_damaged_in_the_middle_is_detected_when_it_matters(file: Path) -> None:
    keys = [document_key(b"%d" % number) for number in range(5000)]
    delivered(file, *keys)
    opened(file).close()
    with file.open("r+b") as raw:
        raw.seek(4096 * 3)
        raw.write(random.Random(1).randbytes(4096 * 10))
    with pytest.raises(JournalError, match="damaged"), closing(opened(file)) as journal:
        journal.take(b"".join(keys))


@pytest.mark.parametrize("table", ["request", "delivered", "endpoint"])
def test_a_journal_without_one_of_its_tables_is_damaged(file: Path, table: str) -> None:
    delivered(file, A)
    changed(file, f"DROP TABLE {table}")
    with pytest.raises(JournalError, match="is damaged") as caught:
        opened(file)
    assert "Move the file away" in caught.value.hint


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no such file") as caught:
        opened(tmp_path / "missing" / "journal")
    assert str(tmp_path / "missing") in caught.value.hint


def test_a_file_that_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    """Whoever is root reads and writes everything, except in /proc."""
    file = tmp_path / "journal"
    opened(file).close()
    file.chmod(0o400)
    path = Path("/proc/version") if os.geteuid() == 0 else file
    with pytest.raises(JournalError, match=r"denied|cannot be written"):
        opened(path)


def test_a_full_disk_keeps_what_was_recorded_for_another_attempt(file: Path) -> None:
    requests = [event_keys([b"%d-%d" % (number, event) for event in range(100)]) for number in range(10 * GROUP)]
    with closing(opened(file)) as journal:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limit[1]))
            with pytest.raises(JournalError, match="disk") as caught:
                deque(map(journal.record, requests), maxlen=0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert "Free some space" in caught.value.hint
        assert len(journal.pending) == GROUP
    with closing(opened(file)) as journal:
        known = [len(journal.take(keys)) for keys in requests]
    assert known.count(100) % GROUP == 0
    assert known.count(100) >= GROUP
    assert known == sorted(known, reverse=True)


@settings(max_examples=25, deadline=None)
@given(runs=st.lists(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=4), max_size=5), min_size=1, max_size=4))
def test_content_is_known_as_often_as_it_was_delivered(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[list[int]]]
) -> None:
    file = tmp_path_factory.mktemp("journal") / "j"
    total: Counter[int] = Counter()
    for requests in runs:
        delivered(file, *(event_keys([b"%d" % number for number in numbers]) for numbers in requests))
        total.update(number for numbers in requests for number in numbers)
    asked = [number for number in range(5) for _ in range(total[number] + 2)]
    random.Random(0).shuffle(asked)
    keys = split_keys(event_keys([b"%d" % number for number in asked]))
    with closing(opened(file)) as journal:
        middle = len(keys) // 3
        first = journal.take(b"".join(keys[:middle]))
        second = journal.take(b"".join(keys[middle:]))
    taken = [*(asked[place] for place in first), *(asked[middle + place] for place in second)]
    assert Counter(taken) == total
