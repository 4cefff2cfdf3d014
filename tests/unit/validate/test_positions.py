import pytest

from td_currents_cli.validate.positions import Path, ValuePositions, walk_values

TEXT = b'{"a": [1, {"b": "x,]}"}], "\\"": {}, "": null, "e\xc3\xa9": -1.5e3, "\\ud800": true,"twice":1,"twice":{"c":2}}'


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ((), False, b'{"a"'),
        (("a",), False, b"[1"),
        (("a", 0), False, b"1"),
        (("a", 1), False, b'{"b"'),
        (("a", 1, "b"), False, b'"x,'),
        (('"',), False, b"{}"),
        (("",), False, b"null"),
        (("eé",), False, b"-1.5"),
        (("\ud800",), False, b"true"),
        # The place of a name is in front of its value; an element of an array has none.
        (("a", 1, "b"), True, b'"b"'),
        (("a", 0), True, b"1"),
        # A missing field, and its name, is reported at the object that lacks it.
        (("a", 1, "missing", "x"), False, b'{"b"'),
        (("a", 1, "missing", "x"), True, b'{"b"'),
        # A name that stands twice has its last place: that is the value every JSON reader takes.
        (("twice",), False, b'{"c"'),
        (("twice", "c"), False, b"2"),
    ],
)
def test_every_value_has_its_place(path: Path, name: bool, value: bytes) -> None:
    """Escapes in names are resolved; brackets and commas in strings are text."""
    assert TEXT[ValuePositions(TEXT).find(path, name=name) :].startswith(value)


def test_white_space_does_not_matter() -> None:
    """Pretty-printed text has the same walk_values."""
    pretty = b'{\r\n\t"a" : [ 1 ,\n 2 ] ,\n "b" : { } }'
    assert [path for path, _, _ in walk_values(pretty)] == [(), ("a",), ("a", 0), ("a", 1), ("b",)]


def test_long_texts_with_many_escapes() -> None:
    """JSON within JSON: no recursion, no memory for each escape."""
    text = b'{"a":"' + b'\\"' * 500_000 + b'","b":1}'
    assert ValuePositions(text).find(("b",)) == len(text) - 2
