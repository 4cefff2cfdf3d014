from typing import Any

import pytest
from msgspec import UNSET, Raw, Struct

from td_currents_cli.events.decode import Decoded, Decoder, EventReader, split
from td_currents_cli.events.json import syntax_problem
from td_currents_cli.model import Batch, Code, Location, Problem

A = b'{"event_type":"a","id":"1","time":1}'
B = b'{"event_type":"b","id":"2","time":2}'


class Event(Struct):
    event_type: Any = UNSET
    time: Any = UNSET


decode = Decoder(Event)


def batch(data: bytes, row: int | None = None) -> Batch:
    """A batch that begins at line 3, column 5."""
    return Batch(data, Location(source="x", line=3, column=5, row=row, offset=100))


def texts(decoded: Decoded[Raw]) -> list[bytes]:
    return [bytes(event) for event in decoded.events]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b'{"events":[' + A + b"," + B + b"]}", [A, B]),
        (b'{"time":1,"events":[' + A + b'],"more":{}}', [A]),
        (b"[" + A + b",\n " + B + b"]", [A, B]),
        (A, [A]),
        (b'{"events":[]}', []),
        (b'{"events":null}', []),
        (b'{"events":[],"event_type":"a"}', []),
        (b"[]", []),
        (b"[{}]", [b"{}"]),
        (b'{"events":[{"\xc3\xa9":1}]}', [b'{"\xc3\xa9":1}']),
        (b'{"events":[{"a":"\\ud800"},{"b":1e400}]}', [b'{"a":"\\ud800"}', b'{"b":1e400}']),
        (b'{"event_type":"\\ud800"}', [b'{"event_type":"\\ud800"}']),
        (b'{"note":"\\ud800","events":null}', []),
    ],
)
def test_the_events_of_a_batch(data: bytes, events: list[bytes]) -> None:
    """Of a payload, an array, a bare event: each with its bytes, none rejected."""
    decoded = split(batch(data))
    assert texts(decoded) == events
    assert (decoded.problems, decoded.rejected) == ([], False)
    assert len(decode(batch(data)).events) == len(events)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (b"1790000000", 1790000000),
        (b"1.5", 1.5),
        (b"1e400", float("inf")),
        (b"-" + b"9" * 5000, float("-inf")),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b'"\\ud800"', "\ud800"),
        (b"null", None),
        (b"[[]]", [[]]),
    ],
)
def test_any_value_can_be_decoded(text: bytes, time: object) -> None:
    """Also numbers of any size and lone surrogates, which msgspec refuses."""
    decoded = decode(batch(b'{"events":[{"event_type":"a","time":' + text + b"}," + B + b"]}"))
    assert [(event.event_type, event.time) for event in decoded.events] == [("a", time), ("b", 2)]
    assert decoded.problems == []


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"17", Code.NOT_AN_OBJECT, "expected a payload or an event, got a number"),
        (b"{}", Code.EVENTS_MISSING, "neither a payload nor an event"),
        (b'{"id":"\\ud800"}', Code.EVENTS_MISSING, "neither a payload nor an event"),
        (b'{"events":"x"}', Code.EVENTS_NOT_ARRAY, "got a string"),
        (b'{"events":{}}', Code.EVENTS_NOT_ARRAY, "got an object"),
        (b'{"events":[', Code.NOT_JSON, "it ends in the middle of a value"),
        (b'{"a":NaN}', Code.NOT_A_NUMBER, "NaN is not a JSON number"),
        (b'{"a":-Infinity}', Code.NOT_A_NUMBER, "-Infinity is not a JSON number"),
        (b"foo", Code.NOT_JSON, "expected a value"),
        (b'{"a":"\xff"}', Code.NOT_UTF8, "invalid UTF-8"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Code.TOO_DEEP, "nested too deeply"),
        (b"[" * 100_000, Code.TOO_DEEP, "nested too deeply"),
    ],
)
def test_an_unusable_batch_is_rejected(data: bytes, code: Code, message: str) -> None:
    """With one problem that has the bytes of the batch for the rejects file."""
    for decoded in (split(batch(data)), decode(batch(data))):
        assert decoded.rejected
        assert decoded.events == []
        (problem,) = decoded.problems
        assert problem.code is code
        assert message in problem.message
        assert problem.raw == data


def test_in_the_cell_of_a_row_the_place_is_the_row() -> None:
    """The cell was unquoted, so its columns are not those of the source."""
    (problem,) = split(batch(b"[NaN]", row=7)).problems
    assert problem.location == batch(b"", row=7).location
    assert "(at byte 1 of the cell)" in problem.message


@pytest.mark.parametrize(
    "before", [b'{"events":[', b'{"note":[1,2],\n"events" : [', b'{"x":{"events":[1]},"events":[', b"["]
)
def test_an_element_that_is_not_an_event_is_rejected_alone(before: bytes) -> None:
    """With its place, index and pointer; all others are decoded."""
    data = before + b'1, "1",\n' + A + b',[],null,true,"' + "é".encode() + b'", {"x":1}]' + b"}" * (before[:1] == b"{")
    decoded = split(batch(data))
    assert texts(decoded) == [A, b'{"x":1}']
    assert not decoded.rejected
    assert [problem.event_index for problem in decoded.problems] == [0, 1, 3, 4, 5, 6]
    assert [problem.raw for problem in decoded.problems] == [b"1", b'"1"', b"[]", b"null", b"true", '"é"'.encode()]
    root = "" if before == b"[" else "/events"
    assert [problem.pointer for problem in decoded.problems] == [f"{root}/{index}" for index in (0, 1, 3, 4, 5, 6)]
    for problem in decoded.problems:
        assert problem.raw is not None
        offset = problem.location.offset - 100
        assert data[offset:].startswith(problem.raw)
        line_begin = data.rfind(b"\n", 0, offset) + 1
        assert problem.location.line == 3 + data.count(b"\n", 0, offset)
        assert problem.location.column == len(data[line_begin:offset].decode()) + (1 if line_begin else 5)
    assert decoded.problems[0].message == "event 0 must be an object, got a number"
    assert len(decode(batch(data)).problems) == 6


def test_documents_on_one_line_are_separated() -> None:
    """Each has its place; a damaged one costs no other; commas and empty arrays are problems."""
    line = b'{"events":[' + A + b"]} " + B + b'{"a":NaN}' + A + b"," + A + b"[]}"
    decoded = split(batch(line))
    assert texts(decoded) == [A, B, A, A]
    assert not decoded.rejected
    documents = decoded.documents
    assert [each.data if isinstance(each, Batch) else each.code for each in documents] == [
        b'{"events":[' + A + b"]}",
        B,
        b'{"a":NaN}',
        A,
        Code.NOT_JSON,
        A,
        Code.EMPTY_ARRAY,
        b"}",
    ]
    for each in documents:
        if isinstance(each, Batch):
            assert line[each.location.offset - 100 :].startswith(each.data)
            assert each.location.column == 5 + each.location.offset - 100


def test_a_cell_has_at_most_one_batch() -> None:
    """A row with two documents in its cell is rejected, not counted as two."""
    decoded = split(batch(A + B, row=1))
    assert decoded.rejected
    assert decoded.documents == ()


def test_a_line_of_many_damaged_documents_ends() -> None:
    mark = b"\xef\xbb\xbf"
    decoded = split(batch((A + mark) * 3000))
    assert len(decoded.events) == 3000
    assert all(isinstance(each, Batch | Problem) for each in decoded.documents)


@pytest.mark.parametrize(("opening", "parts"), [(b"[", 1), (b"[1, ", 2), (b'[ {"a":1},', 2)])
def test_damaged_arrays_in_arrays_are_taken_apart_once(opening: bytes, parts: int) -> None:
    """However many there are: each level would be read again by all around it."""
    documents = split(batch(opening * 300)).documents
    assert [each.is_part for each in documents if isinstance(each, Batch)] == [True] * parts
    assert [split(each).documents for each in documents if isinstance(each, Batch)] == [()] * parts


def test_no_message_has_payload_content() -> None:
    """Payloads are personal data."""
    secret = b"secret@example.com"
    for data in (
        b'{"events":["%s"]}',
        b'{"a":"%s"',
        b'"%s"',
        b"%s",
        b'{"events":"%s"}',
        b'{"a":"%s\xff"}',
        b'{"%s":NaN}',
        b'{"a":1}"%s"',
    ):
        for problem in split(batch(data % secret)).problems:
            assert "secret" not in problem.message + problem.hint + problem.pointer


PLACE = Location(source="x", line=1, column=1)
GOOD = Batch(b'{"events":[{"event_type":"a"},1,{"event_type":"b"}]}', PLACE)
BAD = Batch(b'{"events":5}', PLACE)
LINE = Batch(b'{"event_type":"c"}{"events":[2,{"event_type":"d"}]}{"a":NaN}', PLACE)
ROW = Problem(code=Code.BAD_ROW, location=PLACE, message="bad", raw=b"1,2")
REMARK = Problem(code=Code.UNREADABLE, location=PLACE, message="cut off")


def test_every_row_and_every_event_is_accounted_for() -> None:
    """Good and rejected rows and events; a problem that is not about a row is not counted as one."""
    rejected: list[Problem] = []
    intake = EventReader(on_reject=rejected.append)
    events = [event.event_type for _, each in intake.events([GOOD, BAD, ROW, REMARK], Decoder(Event)) for event in each]
    balance = intake.balance(events_out=len(events))
    assert events == ["a", "b"]
    assert (balance.rows_read, balance.rows_rejected, balance.rows_good) == (3, 2, 1)
    assert (balance.events_read, balance.events_rejected) == (3, 1)
    assert balance.balanced
    assert [problem.raw for problem in rejected] == [b"1", BAD.data, b"1,2"]
    problems = intake.log.result()
    assert (problems.total, problems.unreadable) == (4, 1)
    assert all(problem.raw is None for problem in problems.kept)


def test_each_document_of_a_line_is_a_row() -> None:
    """With their own batch, so that places and pointers are those of the document."""
    intake = EventReader()
    found = [
        (batch.location.column, [event.event_type for event in each])
        for batch, each in intake.events([LINE], Decoder(Event))
    ]
    assert found == [(1, ["c"]), (19, ["d"])]
    balance = intake.balance(events_out=2)
    assert (balance.rows_read, balance.rows_rejected, balance.events_read, balance.events_rejected) == (3, 1, 3, 1)
    assert balance.balanced


def test_a_lost_event_makes_the_balance_fail() -> None:
    """A command that loses an event does not exit with 0. A batch without events, as in a connection test, is one."""
    intake = EventReader()
    empty = Batch(b'{"events":[]}', PLACE)
    assert [(batch, len(each)) for batch, each in intake.events([GOOD, empty], decode)] == [(GOOD, 2), (empty, 0)]
    assert not intake.balance(events_out=1).balanced
    assert intake.balance(events_out=1, duplicates=1).balanced


def test_a_truncated_row_is_neither_good_nor_rejected() -> None:
    intake = EventReader()
    rows = [batch(b"[" + A + b"]", 1), batch(b"[" + A + b',{"id', 2), batch(b"<", 3)]
    assert [len(each) for _, each in intake.events(rows, decode)] == [1, 1]
    balance = intake.balance(events_out=2)
    assert (balance.rows_read, balance.rows_good, balance.rows_truncated, balance.rows_rejected) == (3, 1, 1, 1)
    assert (balance.events_read, balance.lost, balance.rejects) == (3, 1, 2)
    assert balance.balanced


@pytest.mark.parametrize(
    ("data", "row", "hint"),
    [
        (b'{"events":[' + A, None, "get the file again"),
        (b"{'events': []}", None, "json.dumps"),
        (b"{\"events\": [u'a']}", None, "json.dumps"),
        (b"[{'event_type': 'a'}]", 1, "json.dumps"),
        (b"[<]", 1, "export the rows again"),
        (b'{"events":[' + A + b"]", 1, "export the rows again"),
        (b'{"events":[<]}', None, ""),
    ],
)
def test_the_hint_fits_the_syntax_error(data: bytes, row: int | None, hint: str) -> None:
    """A truncated file, a Python dict, a cell of a table; of others, the place is all that helps."""
    problem = syntax_problem(batch(data, row))
    assert problem is not None
    assert problem.code is Code.NOT_JSON
    assert hint in problem.hint
    assert bool(hint) is bool(problem.hint)
