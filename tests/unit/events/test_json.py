import pytest

from td_currents_cli.events.json import Elements, elements_of, hide_lone_surrogates, kind_of, place_in, syntax_problem
from td_currents_cli.model import Batch, Code, Location, Problem

NOT_JSON, NOT_A_NUMBER = Code.NOT_JSON, Code.NOT_A_NUMBER


def batch(data: bytes) -> Batch:
    """A batch that begins at line 3, column 5."""
    return Batch(data, Location(source="x", line=3, column=5, offset=100))


def elements(data: bytes) -> Elements:
    found = elements_of(batch(data))
    assert isinstance(found, Elements)
    return found


@pytest.mark.parametrize(
    ("data", "offsets"),
    [
        (b"[1, 1,1]", [1, 4, 6]),
        (b'{"events":[{},{}]}', [11, 14]),
        (b'{"a":{},"events":[{}]}', [18]),
        (b'{"a":{"events":[{}]},"events":[{}]}', [31]),
        (b'{"events":[1],"events":[2]}', [24]),
        (b'{"a":"\\"events\\":[{}]", "events" : [ {} ]}', [37]),
        (b'{"event_type":"a"}', [0]),
        (b'{"events":["\\ud800",{"a":"\\ud800"},"\\ud801"]}', [11, 20, 35]),
        (b'{"\\u0065vents":[7]}', [16]),
        (b'{"events":null}', []),
    ],
)
def test_each_element_has_its_own_place(data: bytes, offsets: list[int]) -> None:
    """Not that of equal bytes elsewhere; of a repeated name, the last value counts."""
    found = elements(data)
    assert [place.offset - 100 for place in found.locations()] == offsets
    assert all(data[offset:].startswith(text) for offset, text in zip(offsets, found.texts, strict=True))


def test_places_have_line_and_column() -> None:
    """Columns count characters."""
    found = elements('{"events":[\r\n  {"é":1}, {"b":\n2}, {}]}'.encode())
    assert [(place.line, place.column) for place in found.locations()] == [(4, 3), (4, 12), (5, 5)]


@pytest.mark.parametrize(
    ("data", "index", "pointer"),
    [(b"[1,2]", 1, "/1"), (b'{"events":[1,2]}', 1, "/events/1"), (b'{"event_type":"\\"events\\""}', 0, "")],
)
def test_pointers_begin_at_the_root_of_the_batch(data: bytes, index: int, pointer: str) -> None:
    assert elements(data).pointer_to(index) == pointer


def test_a_batch_without_elements_has_a_problem() -> None:
    """With the place of the value that must be an array."""
    found = elements_of(batch(b'{"a":1,\n"events":5}'))
    assert isinstance(found, Problem)
    assert (found.code, found.pointer) == (Code.EVENTS_NOT_ARRAY, "/events")
    assert (found.location.line, found.location.column) == (4, 10)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(b"{}", "an object"), (b"[]", "an array"), (b"null", "null"), (b"true", "a boolean"), (b"-1", "a number")],
)
def test_types_of_values_in_messages(text: bytes, kind: str) -> None:
    """Messages show the type and never the value."""
    assert kind_of(text) == kind


# A pair is one character; an escaped backslash does not begin an escape.
WITHOUT_LONE = [b'"plain"', b'"\\ud83d\\ude00"', b'"\\\\ud800"', b'"\\u00e9"', '"😀\ue000"'.encode()]


@pytest.mark.parametrize(
    "text",
    [
        *WITHOUT_LONE,
        b'"\\ud800"',
        b'"\\uDFFF and \\uD800"',
        b'"\\ud800\\ud83d\\ude00"',
        b'"\\ud83d\\u0041\\ude00"',
        b'"\\\\\\ud800"',
        b'"\\ud800\\ue000\\uE001"',
        '"\\ud800\ue000"'.encode(),
        b'"\\ud800\\u005cue000"',
        b"".join(b'"\\u%04x",' % lone for lone in range(0xD800, 0xE000)),
    ],
)
def test_lone_surrogates_are_hidden_and_restored(text: bytes) -> None:
    """With the same length, so that offsets stay valid; nothing else changes."""
    hidden, restore = hide_lone_surrogates(text)
    assert (hidden == text) == (text in WITHOUT_LONE)
    assert len(hidden) == len(text)
    assert restore(hidden) == text


def test_an_escape_that_became_a_character_is_restored() -> None:
    """Names are encoded again when events are flattened."""
    hidden, restore = hide_lone_surrogates(b'"\\ud800"')
    assert restore(hidden.decode("unicode_escape").encode()) == b'"\\ud800"'


@pytest.mark.parametrize("data", [b"{}", b"null", b'"\\ud800"', b"1e400", b"9" * 5000, b" [1]\r\n", b'{"":{"":0}}'])
def test_well_formed_json_has_no_problem(data: bytes) -> None:
    """Even if msgspec refuses it: lone surrogates and large numbers."""
    assert syntax_problem(batch(data)) is None


@pytest.mark.parametrize(
    ("data", "byte", "code", "message"),
    [
        (b'{"a":NaN}', 5, NOT_A_NUMBER, ""),
        (b'{"a":1,}', 6, NOT_JSON, "not JSON: trailing comma before `}`"),
        (b'{"a":1,\n}', 6, NOT_JSON, "not JSON: trailing comma before `}`"),
        (b"[1,]", 2, NOT_JSON, "not JSON: trailing comma before `]`"),
        (b'{"a":[1 , ],"b":2', 8, NOT_JSON, ""),
        (b'{"a":-Infinity}', 5, NOT_A_NUMBER, ""),
        (b'{"a" 1}', 5, NOT_JSON, ""),
        (b'{"a":01}', 6, NOT_JSON, ""),
        (b"{'a':1}", 1, NOT_JSON, ""),
        (b'{"a":"\x00"}', 6, NOT_JSON, ""),
        (b'{"a":"\n"}', 6, NOT_JSON, ""),
        (b'{"a":"\\q"}', 7, NOT_JSON, ""),
        (b'{"a":1} x', 8, NOT_JSON, ""),
        (b'{"a":', 5, NOT_JSON, ""),
        (b'{"a":"\\ud800",}', 13, NOT_JSON, ""),
        # Even if the structure is valid: JSON is UTF-8.
        (b'{"\xc3\xa9":"\xff"}', 7, Code.NOT_UTF8, ""),
    ],
)
def test_a_syntax_error_is_at_the_first_wrong_byte(data: bytes, byte: int, code: Code, message: str) -> None:
    problem = syntax_problem(batch(data))
    assert problem is not None
    assert (problem.code, problem.location.offset) == (code, 100 + byte)
    assert message in problem.message


@pytest.mark.parametrize(
    ("byte", "line", "column"), [(0, 3, 5), (1, 3, 6), (2, 4, 1), (3, 4, 2), (5, 4, 3), (9, 4, 4), (10, 5, 1)]
)
def test_places_count_lines_and_characters(byte: int, line: int, column: int) -> None:
    """The column of the batch counts only on its first line."""
    place = place_in(batch("a\nbé😀\nc".encode()), byte)
    assert (place.line, place.column, place.offset) == (line, column, 100 + byte)
