"""A journal as the sent side: which events each delivered request held, once, and nothing else of them."""

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import InputError
from td_currents_cli.journal.events import packed
from td_currents_cli.journal.keys import OLDER_DOCUMENT, document_key, older_document_key
from td_currents_cli.journal.reader import delivered_events
from td_currents_cli.model import Location
from td_currents_cli.send.payload import Origin, Payload
from td_currents_cli.send.prefilter import pack_events
from tests.journals import OTHER_FILES, URL, changed, delivered, opened

VERSION_1 = (
    "CREATE TABLE request (id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, keys BLOB NOT NULL)",
    "CREATE TABLE delivered (endpoint INTEGER, key BLOB, count INTEGER, PRIMARY KEY (endpoint, key)) WITHOUT ROWID",
    "CREATE TABLE endpoint (id INTEGER PRIMARY KEY, url BLOB, credential BLOB, shown TEXT, UNIQUE (url, credential))",
    f"PRAGMA application_id = {0x7464_636A}",
    "PRAGMA user_version = 1",
)
A, B = document_key(b"a"), document_key(b"b")
OTHER_URL = "https://example.com/y"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a journal?.sqlite"


def ids(batches: Iterator[list[Any]]) -> list[list[str]]:
    return [[event[0] for event in batch] for batch in batches]


def test_each_delivered_request_is_there_with_its_events(file: Path) -> None:
    delivered(file, A, events=[("1", "t", 5), ("2", None, 1.0)])
    for _ in range(2):
        delivered(file, B, events=[("3", None, None)])
    assert list(delivered_events(file)) == [[("1", "t", 5), ("2", None, 1.0)], [("3", None, None)], [("3", None, None)]]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (b'{"id":"1","event_type":"t","time":5,"user":{"external_user_id":"secret"}}', ("1", "t", 5)),
        (rb'{"id":"\ud800","event_type":"t","time":1}', ("\ud800", "t", 1)),
        (b'{"id":7,"event_type":["secret"],"time":{"secret":1}}', (None, None, None)),
        (b'{"id":"1","time":true}', ("1", None, None)),
        (b'{"id":"1","time":123456789012345678901234567890}', ("1", None, 123456789012345678901234567890)),
        (b'{"id":"1","time":1e400}', ("1", None, float("inf"))),
        ('{"id":"é","time":"2020-01-01"}'.encode(), ("é", None, "2020-01-01")),
    ],
)
def test_three_fields_of_each_event_are_kept_unchanged_or_left_out(
    file: Path, event: bytes, kept: tuple[object, ...]
) -> None:
    """An id may be any string. A value of another type may be personal data: it is null."""
    body = b'{"events":[%b,{"id":"next"}]}' % event
    payload = Payload(index=0, body=body, events=2, origins=(Origin(Location("x"), 0, 2),))
    with closing(opened(file)) as journal:
        journal.record(A, pack_events(payload))
    assert list(delivered_events(file)) == [[kept, ("next", None, None)]]
    assert b"secret" not in file.read_bytes()


def test_endpoints_are_chosen_by_url_and_number(file: Path) -> None:
    delivered(file, A, events=[("1", "t", 1)])
    delivered(file, B, events=[("3", "t", 1)], key=b"another")
    assert ids(delivered_events(file)) == [["1"], ["3"]]
    delivered(file, B, url=OTHER_URL, events=[("4", "t", 1)])
    opened(file, "https://example.com/never").close()
    assert ids(delivered_events(file, endpoint=URL)) == [["1"], ["3"]]
    assert ids(delivered_events(file, endpoint="2")) == [["3"]]
    for endpoint, message, hint in (
        (None, "has 2 endpoints", f"Choose {URL} or {OTHER_URL}."),
        ("https://example.com/never", "does not have this endpoint", f"It has {URL} or {OTHER_URL}."),
    ):
        with pytest.raises(InputError, match=message) as caught:
            delivered_events(file, endpoint=endpoint)
        assert caught.value.hint == hint


def test_a_journal_without_deliveries_has_no_endpoint_to_choose(file: Path) -> None:
    opened(file).close()
    assert list(delivered_events(file)) == []
    with pytest.raises(InputError, match="does not have") as caught:
        delivered_events(file, endpoint=URL)
    assert caught.value.hint == "It has no deliveries yet."


def test_a_journal_of_version_1_is_upgraded_in_place_and_says_what_it_does_not_know(file: Path) -> None:
    key = b"d" + blake2b(b"a", digest_size=16).digest()
    changed(file, *VERSION_1)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO endpoint VALUES (1, ?, ?, ?)", (URL.encode(), b"c", URL))
        connection.execute("INSERT INTO request VALUES (1, 1, ?)", (key,))
    with pytest.raises(InputError, match="did not record which events"):
        delivered_events(file)
    with closing(opened(file)) as journal:
        assert journal.kinds == {OLDER_DOCUMENT}
        assert journal.take(older_document_key(b"a")) == {0}
        journal.record(B, packed([("3", "t", 1)]))
    delivered(file, B, url=OTHER_URL, events=[("4", "t", 1)])
    assert ids(delivered_events(file, endpoint=OTHER_URL)) == [["4"]]
    with pytest.raises(InputError, match="did not record which events"):
        # It would stand for less than was sent.
        delivered_events(file, endpoint=URL)


def test_a_journal_that_was_left_by_a_hard_stop_is_read_to_its_end(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with closing(opened(file)) as journal:
        journal.record(A, packed([("1", "t", 1)]))
        journal.commit()
        copy.write_bytes(file.read_bytes())
        copy.with_name("copy-wal").write_bytes(file.with_name(f"{file.name}-wal").read_bytes())
        assert ids(delivered_events(copy)) == [["1"]]
        with pytest.raises(InputError, match="in use"):
            delivered_events(file)
    assert ids(delivered_events(file)) == [["1"]]


@pytest.mark.parametrize(
    ("make", "said"), [*OTHER_FILES, (Path.touch, "not a journal"), (lambda _: None, "no such file")]
)
def test_another_file_is_an_input_error_and_left_alone(file: Path, make: Callable[[Path], None], said: str) -> None:
    make(file)
    with pytest.raises(InputError, match=said) as caught:
        list(delivered_events(file))
    assert ("--sent" in caught.value.hint) is ("damaged" in said)
    assert [each.name for each in file.parent.iterdir()] in ([file.name], [])


@pytest.mark.parametrize(
    ("change", "readable"),
    [("endpoint SET shown = x'ff'", 0), ("sent SET events = 'text'", 0), ("sent SET events = x'00' WHERE id = 2", 1)],
)
def test_values_that_cannot_be_read_are_damage(file: Path, change: str, readable: int) -> None:
    delivered(file, A, B, events=[("1", "t", 1)])
    changed(file, f"UPDATE {change}")
    read: list[object] = []
    with pytest.raises(InputError, match="damaged"):
        read += delivered_events(file)
    assert len(read) in {0, readable}
