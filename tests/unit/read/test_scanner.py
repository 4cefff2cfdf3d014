from io import BytesIO
from time import process_time

import pytest

from td_currents_cli.read import scanner as module
from td_currents_cli.read.scanner import Scanner, bracket_end, code_points, is_json, next_value, scalar_end


def scan(text: bytes) -> Scanner:
    """A scanner at the beginning of a text."""
    return Scanner(BytesIO(text))


def place(scanner: Scanner) -> tuple[int, int, int]:
    return scanner.line, scanner.column, scanner.offset


def test_places_count_lines_characters_and_bytes() -> None:
    """A tab, an accent, an emoji and a broken byte are a column each, CR LF is one line end, a BOM is nothing."""
    scanner = scan(b" \t\r\n\n  {")
    assert scanner.next_byte() == b"{"
    assert place(scanner) == (3, 3, 7)
    # A form feed is no white space in JSON.
    assert scan(b"\x0c{").next_byte() == b"\x0c"
    assert scan(b" \n ").next_byte() == b""
    scanner = scan('"é😀" 1'.encode())
    assert scanner.take_value() == '"é😀"'.encode()
    assert scanner.next_byte() == b"1"
    assert place(scanner) == (1, 6, 9)
    assert code_points(b"a\xffb") == 3
    scanner = scan(b"\xef\xbb\xbf{}")
    assert scanner.head(3) == b"\xef\xbb\xbf"
    scanner.skip_mark(3)
    assert place(scanner) == (1, 1, 3)


@pytest.mark.parametrize("chunk", [4, 1000])
def test_peeking_takes_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the line ends beyond what has been read so far; not a gigabyte of binary junk without line ends."""
    monkeypatch.setattr(module, "CHUNK", chunk)
    scanner = scan(b"  0123456789\nnext")
    scanner.next_byte()
    assert scanner.peek_line().startswith(b"0123")
    assert scanner.take_line() == b"0123456789"
    assert scanner.peek_line() == b"next"
    monkeypatch.setattr(module, "LONGEST_PEEK", 1000)
    stream = BytesIO(b"\x80" * 1_000_000)
    assert len(Scanner(stream).peek_line()) <= 2000
    assert stream.tell() <= 2000


def test_an_object_line_needs_no_parsing() -> None:
    """`}` last and nothing that continues it: taken as it stands, even if what is inside is not JSON."""
    scanner = scan(b'{"a": nonsense}  \r\n{"b":1}')
    assert scanner.take_object_line() == b'{"a": nonsense}'
    assert scanner.next_byte() == b"{"
    assert place(scanner) == (2, 1, 19)
    assert scanner.take_object_line() == b'{"b":1}'


@pytest.mark.parametrize("text", [b'{"a":\n1}', b'{"a":{}\n}', b'{"a":{}\n,"b":1}', b'{"a":1', b'{"a":{}} x\n'])
def test_an_object_that_may_continue_is_not_an_object_line(text: bytes) -> None:
    scanner = scan(text)
    assert scanner.take_object_line() is None
    assert place(scanner) == (1, 1, 0)


def test_a_long_line_is_left_for_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be all files of a folder without line ends, which need not be in memory at once."""
    monkeypatch.setattr(module, "CHUNK", 4)
    scanner = scan(b'{"a":1}{"b":2}{"c":3}\n')
    assert scanner.take_object_line() is None
    assert [scanner.take_value() for _ in range(3)] == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    "value",
    [b'{"a":[1,{"b":null}]}', b"12345", b"-1.5e300", b"true", b'"a\\"b"', b'"\\ud83d\\ude00\\ud800"', b"[]", b'"\xff"'],
)
def test_one_value_whatever_follows(value: bytes, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a byte more and not a byte less, at any size of the pieces."""
    monkeypatch.setattr(module, "CHUNK", chunk)
    for rest in (b"", b" ", b"\n{}", b",1", b"]", b'"x"'):
        scanner = scan(value + rest)
        assert scanner.take_value() == value
        assert scanner.offset == len(value)


@pytest.mark.parametrize("text", [b"{", b'{"a":1', b'"abc', b"nul", b"NaN", b'{"a":NaN}', b"]", b"", b"[" * 100_000])
def test_no_value_is_taken_where_there_is_none(text: bytes) -> None:
    """Malformed, truncated, nested too deep: nothing is taken, and the caller decides."""
    scanner = scan(text)
    assert scanner.take_value() is None
    assert (scanner.offset, is_json(text)) == (0, False)


@pytest.mark.parametrize(
    ("text", "taken", "rest", "where"),
    [
        (b'{"a":NaN,"b":[1,{}]},{"c":1}', [b'{"a":NaN,"b":[1,{}]}'], b",", (1, 21)),
        # A bracket that is never closed takes no other document with it, in pretty-printed arrays too.
        (b'  {"a": [\n    {"b": 1\n  {"c": 1}', [b'{"a": [\n    {"b": 1'], b"{", (3, 3)),
        # What is no object ends at a comma; a byte is taken in any case.
        (b"foo ,bar]", [b"foo", b",", b"bar"], b"]", (1, 9)),
    ],
)
def test_damage_ends_before_what_may_be_whole(
    text: bytes, taken: list[bytes], rest: bytes, where: tuple[int, int]
) -> None:
    """What follows is still there, on the same line, and on a line that begins like that of the damage."""
    scanner = scan(text)
    scanner.next_byte()
    assert [scanner.take_damaged() for _ in taken] == taken
    assert scanner.next_byte() == rest
    assert place(scanner)[:2] == where


@pytest.mark.parametrize(
    ("cut", "rest"),
    [(b"-", b"1"), (b"1.", b"5"), (b"1e", b"3"), (b"1e+", b"3"), (b"tr", b"ue"), (b'"', b'"'), (b'"\\u00', b'e9"')],
)
def test_a_truncated_value_is_not_malformed_yet(cut: bytes, rest: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that ends with the window continues in the next one: msgspec calls `1.` malformed, not truncated."""
    monkeypatch.setattr(module, "CHUNK", len(b'{"a":' + cut))
    value = b'{"a":' + cut + rest + b"}"
    assert scan(value + b"\n" + value).take_value() == value


@pytest.mark.parametrize(
    ("text", "is_sound"),
    [(b'"\\ud800"', True), (b"1e400", True), (b"1 2", False), (b"[" * 100_000 + b"]" * 100_000, False)],
)
def test_well_formed_as_far_as_structure_goes(text: bytes, is_sound: bool) -> None:
    """Lone surrogates are JSON; a number that goes on is not."""
    assert is_json(text) is is_sound


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b'{"a": NaN} rest', 10),
        (b'[{"a": tru}, {}], rest', 16),
        # Brackets in strings do not count.
        (b'{"a": "}", "b": nope} rest', 21),
        (b'{"a": "\\"}", "b": nope} rest', 23),
        # A missing one closes with the next outer one; one too many is passed over.
        (b'{"a": [1}, rest]', 9),
        (b'{"a": 1]]}, rest', 10),
        (b'{"a": "never closed\n} rest', 21),
        # The caller has to read on, or knows that it is truncated.
        (b'{"a": [1, 2', None),
        # Another value begins first: at the same indentation, as deeper lines belong to the damaged one.
        (b'{"a": [\n  {"b": 1,\n{"c": 1}', 18),
        (b"[" * 100_000 + b"]" * 100_000, 200_000),
        (b'{"a":NaN' + b"{" * 200_000 + b"]" * 200_000, None),
        (b"[" + b"{" * 200_000 + b"]" * 9, 200_002),
    ],
)
def test_the_bracket_that_closes_it(text: bytes, end: int | None) -> None:
    """Work grows with the text, not with its square."""
    begin = process_time()
    assert bracket_end(text, 0, next_value(b"")) == end
    assert process_time() - begin < 5


@pytest.mark.parametrize(
    ("text", "end"), [(b"foo]", 3), (b'"a,b" x,', 7), (b",,", 1), (b"}}", 1), (b"1\n2", 1), (b"12", None)]
)
def test_something_else_ends_at_punctuation(text: bytes, end: int | None) -> None:
    """Punctuation within quotes does not count; one byte is taken at least."""
    assert scalar_end(text, 0) == end
