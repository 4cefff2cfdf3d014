import pytest

from td_currents_cli.read.formats.json_rows import SEVERAL_DOCUMENTS, batch_of_row


@pytest.mark.parametrize(
    ("row", "batch"),
    [
        (b'{"time":1,"events":"[{\\"id\\":\\"a\\"}]"}', b'[{"id":"a"}]'),
        (b'{ "events" : "[]", "time" : 1 }', b"[]"),
        (b'{"time":1,"events":null}', b"[]"),
        (b'{"time":1,"events":""}', b"[]"),
        (b'{"time":1,"events":"null"}', b"[]"),
        (b'{"time":1,"events":"{\\"events\\":[]}"}', b'{"events":[]}'),
        (b'{"time":1,"events":"not JSON"}', b"not JSON"),
        (b'{"note":"\\ud800","events":"[]"}', b"[]"),
        (b'{"time":1,"events":"[\\"\\\\ud800\\"]"}', b'["\\ud800"]'),
        # It cannot be UTF-8; `events.decode` reports the bytes it leaves.
        (b'{"events":"[\\ud800]"}', b"[\xed\xa0\x80]"),
        (b'{"time":1,"events":"[]"}{"time":2,"events":"[]"}', SEVERAL_DOCUMENTS),
    ],
)
def test_the_text_of_the_events_column(row: bytes, batch: bytes) -> None:
    """Unescaped once, and otherwise unchanged; no events where it is empty or null."""
    assert batch_of_row(row) == batch


@pytest.mark.parametrize(
    "document",
    [
        b'{"events":[{"event_type":"a"}]}',
        b'{"time":1,"events":[]}',
        b'{"time":1,"events":5}',
        b'{"event_type":"a","properties":{"events":"x"}}',
        b'{"event_type":"a","note":"\\"events\\":"}',
        b'{"event_type":"a"}',
        b'{"time":1,"events":"[]"',
        b'{"time":1,"events":"\xff"}',
        b'{"events"',
        b"null",
        b'["events"]',
        b'{"events":"' + b"[" * 100_000,
    ],
)
def test_anything_else_is_left_to_others(document: bytes) -> None:
    """A payload, a bare event that has the word somewhere, and what is malformed."""
    assert batch_of_row(document) is None
