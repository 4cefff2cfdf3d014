import pytest

from td_currents_cli.events.json import place_in, syntax_problem
from td_currents_cli.model import Batch, Code, Location


def batch(data: bytes) -> Batch:
    """A batch that begins at line 3, column 5."""
    return Batch(data, Location(source="x", line=3, column=5, offset=100))


@pytest.mark.parametrize("data", [b"{}", b"null", b'"\\ud800"', b"1e400", b"9" * 5000, b" [1]\r\n", b'{"":{"":0}}'])
def test_well_formed_json_has_no_problem(data: bytes) -> None:
    """Even if msgspec refuses it: lone surrogates and large numbers."""
    assert syntax_problem(batch(data)) is None


@pytest.mark.parametrize(
    ("data", "byte"),
    [
        (b'{"a":NaN}', 5),
        (b'{"a":1,}', 6),
        (b'{"a":[1 , ],"b":2', 8),
        (b'{"a":-Infinity}', 5),
        (b'{"a" 1}', 5),
        (b'{"a":01}', 6),
        (b"{'a':1}", 1),
        (b'{"a":"\x00"}', 6),
        (b'{"a":"\n"}', 6),
        (b'{"a":"\\q"}', 7),
        (b'{"a":1} x', 8),
        (b'{"a":', 5),
        (b'{"a":"\\ud800",}', 13),
    ],
)
def test_a_syntax_error_is_at_the_first_wrong_byte(data: bytes, byte: int) -> None:
    problem = syntax_problem(batch(data))
    assert problem is not None
    assert problem.code in {Code.NOT_JSON, Code.NOT_A_NUMBER}
    assert problem.location.offset == 100 + byte


@pytest.mark.parametrize(("data", "closing"), [(b"[1,]", "]"), (b'{"a":1,\n}', "}")])
def test_a_trailing_comma_is_named(data: bytes, closing: str) -> None:
    problem = syntax_problem(batch(data))
    assert problem is not None
    assert problem.message == f"not JSON: trailing comma before `{closing}`"


def test_a_byte_that_is_not_utf8_is_found_first() -> None:
    """Even if the structure is valid: JSON is UTF-8."""
    problem = syntax_problem(batch(b'{"\xc3\xa9":"\xff"}'))
    assert problem is not None
    assert problem.code is Code.NOT_UTF8
    assert (problem.location.line, problem.location.column, problem.location.offset) == (3, 11, 107)


@pytest.mark.parametrize(
    ("byte", "line", "column"), [(0, 3, 5), (1, 3, 6), (2, 4, 1), (3, 4, 2), (5, 4, 3), (9, 4, 4), (10, 5, 1)]
)
def test_places_count_lines_and_characters(byte: int, line: int, column: int) -> None:
    """The column of the batch counts only on its first line."""
    place = place_in(batch("a\nbé😀\nc".encode()), byte)
    assert (place.line, place.column, place.offset) == (line, column, 100 + byte)
