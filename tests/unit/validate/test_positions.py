import pytest

from td_currents_cli.validate.positions import Path, ValuePositions, walk_values

TEXT = b'{"a": [1, {"b": "x,]}"}], "\\"": {}, "": null, "e\xc3\xa9": -1.5e3, "\\ud800": true}'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), b'{"a"'),
        (("a",), b"[1"),
        (("a", 0), b"1"),
        (("a", 1), b'{"b"'),
        (("a", 1, "b"), b'"x,'),
        (('"',), b"{}"),
        (("",), b"null"),
        (("eé",), b"-1.5"),
        (("\ud800",), b"true"),
    ],
)
def test_every_value_has_its_place(path: Path, value: bytes) -> None:
    """Escapes in names are resolved; brackets and commas in texts are text."""
    assert TEXT[ValuePositions(TEXT).find(path) :].startswith(value)


def test_the_place_of_a_name_is_in_front_of_its_value() -> None:
    """For problems of the name itself; an element of an array has none."""
    assert TEXT[ValuePositions(TEXT).find(("a", 1, "b"), name=True) :].startswith(b'"b"')
    assert TEXT[ValuePositions(TEXT).find(("a", 0), name=True) :].startswith(b"1")


def test_what_is_not_there_is_missed_where_it_should_be() -> None:
    """A missing field is reported at the object that misses it, its name included."""
    for name in (False, True):
        assert TEXT[ValuePositions(TEXT).find(("a", 1, "missing", "x"), name=name) :].startswith(b'{"b"')


def test_a_name_that_stands_twice_has_its_last_place() -> None:
    """That is the value every JSON reader takes."""
    text = b'{"a":1,"a":{"b":2}}'
    assert ValuePositions(text).find(("a",)) == 11
    assert ValuePositions(text).find(("a", "b")) == 16


def test_white_space_does_not_matter() -> None:
    """Pretty-printed text has the same walk_values."""
    pretty = b'{\r\n\t"a" : [ 1 ,\n 2 ] ,\n "b" : { } }'
    assert [path for path, _, _ in walk_values(pretty)] == [(), ("a",), ("a", 0), ("a", 1), ("b",)]


def test_long_texts_with_many_escapes() -> None:
    """JSON within JSON: no recursion, no memory for each escape."""
    text = b'{"a":"' + b'\\"' * 500_000 + b'","b":1}'
    assert ValuePositions(text).find(("b",)) == len(text) - 2
