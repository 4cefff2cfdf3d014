"""`tdcur journal`: what is listed, shown, and pruned; what is in use stays."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from td_currents_cli.choices import JournalAction
from td_currents_cli.errors import ExitCode, InputError, UsageError
from td_currents_cli.journal.keys import EndpointIdentity, event_keys
from td_currents_cli.journal.list_journals import JournalRequest, run
from td_currents_cli.journal.writer import Journal
from td_currents_cli.model import Location
from td_currents_cli.send.payload import Origin, Payload
from td_currents_cli.send.prefilter import pack_events

DAY = 86_400.0
OPEN = b'{"id":"1","event_type":"Open","time":20}'
CLICK = b'{"id":"2","event_type":"Click","time":10}'
ODD = b'{"id":3}'


def opened(folder: Path, name: str) -> Journal:
    (folder / name).mkdir(parents=True, exist_ok=True)
    url = f"https://example.com/{name}"
    identity = EndpointIdentity(url=url.encode(), credential=b"c")
    return Journal(folder / name / "journal.sqlite", identity=identity, shown=url)


def deliver(folder: Path, name: str, *payloads: list[bytes], age: float = 0) -> Path:
    with closing(opened(folder, name)) as journal:
        for events in payloads:
            body = b'{"events":[%b]}' % b",".join(events)
            origins = (Origin(Location("x"), 0, len(events)),)
            payload = Payload(index=0, body=body, events=len(events), origins=origins)
            journal.record(event_keys(events), pack_events(payload))
        path = journal.path
    if age:
        for file in path.parent.iterdir():
            os.utime(file, (file.stat().st_atime, file.stat().st_mtime - age))
    return path


def test_journals_are_listed_with_what_they_hold(tmp_path: Path) -> None:
    first = deliver(tmp_path, "a", [OPEN, CLICK], [OPEN])
    first.with_name("dead-letter.jsonl").write_bytes(b"12345")
    deliver(tmp_path, "b", [OPEN])
    listed = run(JournalRequest(action=JournalAction.LIST, folder=tmp_path))
    assert listed.exit_code == ExitCode.OK
    assert [(each.path.parent.name, each.dead_letters) for each in listed.journals] == [("a", 5), ("b", 0)]
    assert [(end.url, end.requests) for end in listed.journals[0].endpoints] == [("https://example.com/a", 2)]
    assert listed.journals[0].bytes > 0


def test_without_a_state_folder_nothing_is_listed(tmp_path: Path) -> None:
    assert run(JournalRequest(action=JournalAction.LIST, folder=tmp_path / "none")).journals == ()


def test_a_journal_that_cannot_be_read_is_listed_with_the_reason_and_never_pruned(tmp_path: Path) -> None:
    path = deliver(tmp_path, "a", [OPEN], age=99 * DAY)
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    os.utime(path, (0, 0))
    listed = run(JournalRequest(action=JournalAction.LIST, folder=tmp_path))
    assert listed.exit_code == ExitCode.IO
    assert "not a journal" in listed.journals[0].trouble
    assert run(JournalRequest(action=JournalAction.PRUNE, folder=tmp_path)).kept == 1
    assert path.exists()


def test_a_journal_is_shown_by_event_type(tmp_path: Path) -> None:
    path = deliver(tmp_path, "a", [OPEN, CLICK, ODD], [OPEN])
    shown = run(JournalRequest(action=JournalAction.SHOW, folder=tmp_path, journal=path))
    assert shown.data()["event_types"] == {
        "Open": {"events": 2, "first": 20, "last": 20},
        "": {"events": 1, "first": None, "last": None},
        "Click": {"events": 1, "first": 10, "last": 10},
    }


@pytest.mark.parametrize(("journal", "error"), [(None, UsageError), ("nothing.sqlite", InputError)])
def test_showing_needs_a_journal(tmp_path: Path, journal: str | None, error: type[Exception]) -> None:
    path = None if journal is None else tmp_path / journal
    with pytest.raises(error):
        run(JournalRequest(action=JournalAction.SHOW, folder=tmp_path, journal=path))


@pytest.mark.parametrize(
    ("dry_run", "check"), [(False, lambda path: not path.exists()), (True, lambda path: path.exists())]
)
def test_pruning_removes_what_was_not_used_for_long(
    tmp_path: Path, dry_run: bool, check: Callable[[Path], bool]
) -> None:
    old = deliver(tmp_path, "old", [OPEN], age=40 * DAY)
    letters = old.with_name("dead-letter.jsonl")
    letters.write_bytes(b"x")
    new = deliver(tmp_path, "new", [OPEN])
    request = JournalRequest(action=JournalAction.PRUNE, folder=tmp_path, unused_for=30 * DAY, dry_run=dry_run)
    pruned = run(request)
    assert [each.path for each in pruned.journals] == [old]
    assert pruned.kept == 1
    assert check(old)
    assert new.exists()
    assert letters.exists(), "dead letters are the only copy of what was refused"


def test_a_journal_in_use_is_not_pruned(tmp_path: Path) -> None:
    with closing(opened(tmp_path, "a")) as journal:
        pruned = run(JournalRequest(action=JournalAction.PRUNE, folder=tmp_path))
        assert (pruned.journals, pruned.kept) == ((), 1)
        assert journal.path.exists()
