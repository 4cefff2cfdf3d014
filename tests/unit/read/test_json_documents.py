from collections.abc import Iterable
from io import BytesIO

import pytest

from td_currents_cli.model import Batch, Code, Location, Problem, Severity
from td_currents_cli.read import scanner as module
from td_currents_cli.read.json_documents import Document, DocumentReader, documents, documents_in
from td_currents_cli.read.scanner import Scanner

DOCUMENTS = [b'{"a":1}', b'{"b":[2,{"c":null}]}', '{"d":"é"}'.encode()]


def read(text: bytes) -> list[bytes | Code]:
    found = documents(Scanner(BytesIO(text)), "x")
    return [each.data if isinstance(each, Document) else each.code for each in found]


def places(found: Iterable[Document | Problem]) -> list[tuple[int | None, int | None, int]]:
    """Where each document and each problem stands."""
    locations = [each.location("x") if isinstance(each, Document) else each.location for each in found]
    return [(each.line, each.column, each.offset) for each in locations]


@pytest.mark.parametrize(
    "text",
    [
        b"\n".join(DOCUMENTS),
        b"\n".join(DOCUMENTS) + b"\n",
        b"\r\n".join(DOCUMENTS) + b"\r\n",
        b"\n\n \n".join(DOCUMENTS),
        b"[" + b",".join(DOCUMENTS) + b"]",
        b" [\n  " + b",\n  ".join(DOCUMENTS) + b"\n]\n",
        b"[" + b"]\n[".join(DOCUMENTS) + b"]",
        b"[" + b"][".join(DOCUMENTS) + b"]",
        DOCUMENTS[0] + b"\n[" + b",".join(DOCUMENTS[1:]) + b"]",
        b"[" + DOCUMENTS[0] + b"]" + b"\n".join(DOCUMENTS[1:]),
    ],
)
@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
def test_documents_in_every_arrangement(text: bytes, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same documents, byte for byte, at any size of the pieces that are read."""
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert read(text) == DOCUMENTS


def test_pretty_printed_documents_one_after_another() -> None:
    pretty = [b'{\n  "events": [\n    {\n      "a": {}\n    }\n  ]\n}', b'{\n  "b": {}\n}']
    assert read(b"\n".join(pretty)) == pretty
    assert read(b"".join(pretty)) == pretty


def test_documents_on_one_line_are_one_until_they_are_decoded() -> None:
    """Telling them apart would mean to parse every line twice: `documents_in` does it where it is found out."""
    line = b"".join(DOCUMENTS)
    assert read(line + b"\n" + DOCUMENTS[0]) == [line, DOCUMENTS[0]]
    found = list(documents_in(line, Location(source="x", line=3, column=5, offset=100)))
    assert places(found) == [(3, 5, 100), (3, 12, 107), (3, 32, 127)]
    assert [each.data for each in found if isinstance(each, Document)] == DOCUMENTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b' \n {"a":1}\n[1,\n  {"b":2}]', [(2, 2, 3), (3, 2, 12), (4, 3, 17)]),
        (b'{\n  "a": [\n    {}\n  ]\n}\n{}', [(1, 1, 0), (6, 1, 24)]),
        (b'\n  [{"a":1}', [(2, 4, 4), (2, 11, 11)]),
    ],
)
def test_places_are_where_documents_begin(text: bytes, expected: list[tuple[int, int, int]]) -> None:
    """An array that is not closed says where it began."""
    found = list(documents(Scanner(BytesIO(text)), "x"))
    assert places(found) == expected
    assert all("line 2, column 3" in each.message for each in found if isinstance(each, Problem))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a":1}\n{"b":\n{"c":1}', [b'{"a":1}', b'{"b":', b'{"c":1}']),
        (b'{"a":1}\n{"b":oops}\n{"c":1}', [b'{"a":1}', b'{"b":oops}', b'{"c":1}']),
        (b'{"a":1}\nwarning: disk full\n{"c":1}', [b'{"a":1}', b"warning: disk full", b'{"c":1}']),
        (b'{\n  "a": oops\n}\n{\n  "b": 1\n}', [b'{\n  "a": oops\n}', b'{\n  "b": 1\n}']),
        (b'{\n  "a": [\n{\n  "b": 1\n}', [b'{\n  "a": [', b'{\n  "b": 1\n}']),
        (b'[{"a":NaN},{"b":1},foo,{"c":1}]', [b'{"a":NaN}', b'{"b":1}', b"foo", b'{"c":1}']),
        (b'[\n{"a":NaN},\n{"b":1}\n]\n{"c":1}', [b'{"a":NaN}', b'{"b":1}', b'{"c":1}']),
        (b'[\n{"b":1},\n{"a":NaN}\n]\n{"c":1}', [b'{"b":1}', b'{"a":NaN}', b'{"c":1}']),
        (b'[\n  {"a": [1,\n  {"b":1}\n]', [b'{"a": [1,', b'{"b":1}']),
        (b'{"a":1}\n\x00\x00\x00', [b'{"a":1}', b"\x00\x00\x00"]),
        (b'[{"a":\n[{"b":1}]\n[{"c":1}]', [b'{"a":', Code.NOT_JSON, b'{"b":1}', b'{"c":1}']),
        # An unclosed bracket, a comma too many or too few.
        (b'[{"a":1},{"b":2}', [b'{"a":1}', b'{"b":2}', Code.NOT_JSON]),
        (b'[{"a":1},', [b'{"a":1}', Code.NOT_JSON]),
        (b"[", [Code.NOT_JSON]),
        (b'[{"a":1},]', [b'{"a":1}', Code.NOT_JSON]),
        (b'[{"a":1} {"b":2}]', [b'{"a":1}', Code.NOT_JSON, b'{"b":2}']),
        (b'[{"a":1}\n{"b":2}', [b'{"a":1}', Code.NOT_JSON, b'{"b":2}', Code.NOT_JSON]),
        (b'[{"a":1}; {"b":2}]\n{"c":3}', [b'{"a":1}', Code.NOT_JSON, b'; {"b":2}]', b'{"c":3}']),
        (b'{"a":1},\n{"b":2},', [b'{"a":1}', Code.NOT_JSON, b'{"b":2}', Code.NOT_JSON]),
        (b"[ ]", [Code.EMPTY_ARRAY]),
    ],
)
def test_damage_is_delivered_and_reading_goes_on(text: bytes, found: list[bytes | Code]) -> None:
    """One bad document costs itself, in whichever arrangement it stands; an error between two costs none."""
    assert read(text) == found


def test_a_byte_order_mark_in_front_of_a_later_document() -> None:
    """`cat` of files from Windows: a warning for each, and no document is lost."""
    mark = b"\xef\xbb\xbf"
    found_codes = [Code.BYTE_ORDER_MARK, DOCUMENTS[0], Code.BYTE_ORDER_MARK, DOCUMENTS[1]]
    assert read(mark + DOCUMENTS[0] + b"\n" + mark + DOCUMENTS[1]) == found_codes
    line = mark.join(DOCUMENTS)
    found = list(documents_in(line, Location(source="x", line=1, column=1)))
    assert [each.data for each in found if isinstance(each, Document)] == DOCUMENTS
    assert {each.severity for each in found if isinstance(each, Problem)} == {Severity.WARNING}


def test_an_array_is_read_one_element_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by the largest element, not by the array."""
    monkeypatch.setattr(module, "CHUNK", 64)
    stream = BytesIO(b"[" + b",".join([b'{"a":1}'] * 10_000) + b"]")
    found = documents(Scanner(stream), "x")
    next(found)
    assert stream.tell() < 500


@pytest.mark.parametrize(
    ("event", "batch"),
    [
        (b'{"event_type":"a","x":[{"event_type":"b"}]}', b'{"event_type":"a","x":[{"event_type":"b"}]}'),
        (b'{"id":"1","events":[]}', b'[{"id":"1","events":[]}]'),
        (b"{}", b"[{}]"),
    ],
)
def test_the_event_of_a_dead_letter_is_read_and_none_of_its_findings(event: bytes, batch: bytes) -> None:
    findings = b'[{"code":"TDC102","event_type":"a","message":"m"}]'
    letter = b'{"reason":"TDC102 m","endpoint":"https://e/","findings":%b,"event":%b}' % (findings, event)
    (found,) = DocumentReader("x").records(Document(letter, 1, 1, 0))
    assert isinstance(found, Batch)
    assert found.data == batch
