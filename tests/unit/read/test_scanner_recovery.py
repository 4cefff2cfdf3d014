from time import process_time

import pytest

from td_currents_cli.read.scanner import bracket_end, next_value, scalar_end


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b'{"a": NaN} rest', b'{"a": NaN}'),
        (b'[{"a": tru}, {}], rest', b'[{"a": tru}, {}]'),
        (b'{"a": "}", "b": nope} rest', b'{"a": "}", "b": nope}'),
        (b'{"a": "\\"}", "b": nope} rest', b'{"a": "\\"}", "b": nope}'),
        (b'{"a": [1}, rest]', b'{"a": [1}'),
        (b'{"a": 1]]}, rest', b'{"a": 1]]}'),
        (b'{"a": "never closed\n} rest', b'{"a": "never closed\n}'),
    ],
)
def test_the_bracket_that_closes_it(text: bytes, end: bytes) -> None:
    """Brackets in texts do not count; a missing one closes with the next outer one; one too many is passed over."""
    assert bracket_end(text, 0, next_value(b"")) == len(end)


def test_a_value_that_never_ends() -> None:
    """The caller has to read on, or knows that it is truncated."""
    assert bracket_end(b'{"a": [1, 2', 0, next_value(b"")) is None


def test_another_value_begins_first() -> None:
    """At the same indentation; deeper lines belong to the damaged one."""
    text = b'{"a": [\n  {"b": 1,\n{"c": 1}'
    assert bracket_end(text, 0, next_value(b"")) == text.index(b"\n{")


def test_a_hundred_thousand_brackets_take_no_time() -> None:
    """Work grows with the text, not with its square."""
    text = b"[" * 100_000 + b"]" * 100_000
    assert bracket_end(text, 0, next_value(b"")) == len(text)


@pytest.mark.parametrize(
    ("text", "end"), [(b"foo]", 3), (b'"a,b" x,', 7), (b",,", 1), (b"}}", 1), (b"1\n2", 1), (b"12", None)]
)
def test_something_else_ends_at_punctuation(text: bytes, end: int | None) -> None:
    """Punctuation within quotes does not count; one byte is taken at least."""
    assert scalar_end(text, 0) == end


@pytest.mark.parametrize("text", [b'{"a":NaN' + b"{" * 200_000 + b"]" * 200_000, b"[" + b"{" * 200_000 + b"]" * 9])
def test_brackets_without_a_pair_take_no_time(text: bytes) -> None:
    """Each is not searched for among all that are open."""
    begin = process_time()
    bracket_end(text, 0, next_value(b""))
    assert process_time() - begin < 5
