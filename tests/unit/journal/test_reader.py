"""A journal as the sent side: which events each delivered request held, once, and nothing else of them."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import InputError
from td_currents_cli.journal.keys import EndpointIdentity, document_key, older_document_key
from td_currents_cli.journal.reader import delivered_events, journal_endpoints
from td_currents_cli.journal.schema import VERSION
from td_currents_cli.journal.writer import Journal
from td_currents_cli.model import Location
from td_currents_cli.send.payload import Origin, Payload
from td_currents_cli.send.prefilter import pack_events

FORM_1 = (
    "CREATE TABLE request (id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, keys BLOB NOT NULL)",
    "CREATE TABLE delivered (endpoint INTEGER, key BLOB, count INTEGER, PRIMARY KEY (endpoint, key)) WITHOUT ROWID",
    "CREATE TABLE endpoint (id INTEGER PRIMARY KEY, url BLOB, credential BLOB, shown TEXT, UNIQUE (url, credential))",
    f"PRAGMA application_id = {0x7464_636A}",
    "PRAGMA user_version = 1",
)
URL = "https://example.com/x"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a journal?.sqlite"


def payload(*events: bytes) -> Payload:
    body = b'{"events":[%b]}' % b",".join(events)
    return Payload(index=0, body=body, events=len(events), origins=(Origin(Location("x"), 0, len(events)),))


def opened(file: Path, url: str = URL, key: bytes = b"c") -> Journal:
    return Journal(file, identity=EndpointIdentity(url=url.encode(), credential=key), shown=url)


def delivered(file: Path, *payloads: Payload, url: str = URL, key: bytes = b"c") -> None:
    with closing(opened(file, url, key)) as journal:
        for each in payloads:
            journal.record(document_key(each.body), pack_events(each))


def ids(batches: Iterator[list[Any]]) -> list[list[str]]:
    return [[event[0] for event in batch] for batch in batches]


A = payload(b'{"id":"1","event_type":"t","time":5,"user":{"external_user_id":"jane"}}', b'{"time":1.0,"id":"2"}')
B = payload(b'{"id":"3"}')


def test_each_delivered_request_is_there_with_three_fields_of_its_events(file: Path) -> None:
    delivered(file, A, B)
    delivered(file, B)
    assert list(delivered_events(file)) == [[("1", "t", 5), ("2", None, 1.0)], [("3", None, None)], [("3", None, None)]]
    assert b"jane" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (rb'{"id":"\ud800","event_type":"t","time":1}', ("\ud800", "t", 1)),
        (b'{"id":7,"event_type":["secret"],"time":{"secret":1}}', (None, None, None)),
        (b'{"id":"1","time":true}', ("1", None, None)),
        (b'{"id":"1","time":123456789012345678901234567890}', ("1", None, 123456789012345678901234567890)),
        (b'{"id":"1","time":1e400}', ("1", None, float("inf"))),
        ('{"id":"é","time":"2020-01-01"}'.encode(), ("é", None, "2020-01-01")),
    ],
)
def test_unusual_values_are_kept_unchanged_or_left_out(file: Path, event: bytes, kept: tuple[object, ...]) -> None:
    """An id may be any string. A value of another type may be personal data: it is null."""
    delivered(file, payload(event, b'{"id":"next"}'))
    assert list(delivered_events(file)) == [[kept, ("next", None, None)]]


def test_endpoints_are_listed_and_chosen(file: Path) -> None:
    delivered(file, A)
    delivered(file, B, key=b"another")
    assert ids(delivered_events(file)) == [["1", "2"], ["3"]]
    delivered(file, B, url="https://example.com/y")
    with closing(opened(file, "https://example.com/never")):
        pass
    assert [(each.number, each.url, each.batches, each.is_complete) for each in journal_endpoints(file)] == [
        (1, URL, 1, True),
        (2, URL, 1, True),
        (3, "https://example.com/y", 1, True),
    ]
    assert ids(delivered_events(file, endpoint=URL)) == [["1", "2"], ["3"]]
    assert ids(delivered_events(file, endpoint="2")) == [["3"]]
    with pytest.raises(InputError, match="has 2 endpoints") as caught:
        delivered_events(file)
    assert URL in caught.value.hint
    with pytest.raises(InputError, match="does not have this endpoint"):
        delivered_events(file, endpoint="https://example.com/never")


def test_a_journal_of_version_1_is_upgraded_in_place_and_says_what_it_does_not_know(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in FORM_1:
            connection.execute(statement)
        connection.execute("INSERT INTO endpoint VALUES (1, ?, ?, ?)", (URL.encode(), b"c", URL))
        connection.execute("INSERT INTO request VALUES (1, 1, ?)", (b"d" + blake2b(A.body, digest_size=16).digest(),))
    with pytest.raises(InputError, match="did not record which events"):
        delivered_events(file)
    with closing(opened(file)) as journal:
        assert (journal.knows_documents, journal.knows_older_documents) == (False, True)
        assert journal.take(older_document_key(A.body)) == {0}
        journal.record(document_key(B.body), pack_events(B))
    delivered(file, B, url="https://example.com/y")
    assert [each.is_complete for each in journal_endpoints(file)] == [False, True]
    assert ids(delivered_events(file, endpoint="https://example.com/y")) == [["3"]]
    with pytest.raises(InputError, match="did not record which events"):
        # It would stand for less than was sent.
        delivered_events(file, endpoint=URL)


def test_a_journal_that_was_left_by_a_hard_stop_is_read_whole(file: Path, tmp_path: Path) -> None:
    journal = opened(file)
    journal.record(document_key(A.body), pack_events(A))
    journal.commit()
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes())
    copy.with_name("copy-wal").write_bytes(file.with_name(f"{file.name}-wal").read_bytes())
    assert ids(delivered_events(copy)) == [["1", "2"]]
    with pytest.raises(InputError, match="in use"):
        delivered_events(file)
    journal.close()
    assert ids(delivered_events(file)) == [["1", "2"]]


def _text(path: Path) -> None:
    path.write_bytes(b"something else entirely\n" * 100)


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE photos (id)")


def _newer(path: Path) -> None:
    delivered(path, A)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_text, "not a journal"),
        (_nothing, "not a journal"),
        (_database, "not a journal"),
        (_newer, f"format version {VERSION + 1}"),
        (os.mkdir, "directory"),
        (lambda _: None, "no such file"),
    ],
)
def test_another_file_is_an_input_error(file: Path, make: Any, said: str) -> None:
    make(file)
    for read in (delivered_events, journal_endpoints):
        with pytest.raises(InputError, match=said):
            read(file)
    assert [each.name for each in file.parent.iterdir()] in ([file.name], [])


def test_a_damaged_journal_is_an_input_error_that_says_how_to_go_on(file: Path) -> None:
    shutil.copy(Path(__file__).parents[2] / "cases" / "journal_damaged.sqlite", file)
    for read in (delivered_events, journal_endpoints):
        with pytest.raises(InputError, match=r"the journal .* is damaged") as caught:
            read(file)
        assert "--sent" in caught.value.hint


@pytest.mark.parametrize("change", ["endpoint SET shown = x'ff'", "sent SET events = 'text'"])
def test_values_of_another_type_are_damage(file: Path, change: str) -> None:
    delivered(file, A)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"UPDATE {change}")
    with pytest.raises(InputError, match="damaged"):
        list(delivered_events(file))


def test_damage_further_on_is_an_input_error_too(file: Path) -> None:
    delivered(file, A, B)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE sent SET events = x'00' WHERE id = 2")
    batches = delivered_events(file)
    assert len(next(batches)) == 2
    with pytest.raises(InputError, match="damaged"):
        next(batches)
