import pytest

from td_currents_cli.events.json import Elements, elements_of, kind_of
from td_currents_cli.model import Batch, Code, Location, Problem


def elements(data: bytes) -> Elements:
    found = elements_of(Batch(data, Location(source="x", line=1, column=1)))
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
    assert [place.offset for place in found.locations()] == offsets
    assert all(data[offset:].startswith(text) for offset, text in zip(offsets, found.texts, strict=True))


def test_places_have_line_and_column() -> None:
    """Columns count characters."""
    found = elements('{"events":[\r\n  {"é":1}, {"b":\n2}, {}]}'.encode())
    assert [(place.line, place.column) for place in found.locations()] == [(2, 3), (2, 12), (3, 5)]


def test_pointers_begin_at_the_root_of_the_batch() -> None:
    assert elements(b"[1,2]").pointer_to(1) == "/1"
    assert elements(b'{"events":[1,2]}').pointer_to(1) == "/events/1"
    assert elements(b'{"event_type":"\\"events\\""}').pointer_to(0) == ""


def test_a_batch_without_elements_has_a_problem() -> None:
    """With the place of the value that must be an array."""
    found = elements_of(Batch(b'{"a":1,\n"events":5}', Location(source="x", line=1, column=1)))
    assert isinstance(found, Problem)
    assert (found.code, found.pointer) == (Code.EVENTS_NOT_ARRAY, "/events")
    assert (found.location.line, found.location.column) == (2, 10)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(b"{}", "an object"), (b"[]", "an array"), (b"null", "null"), (b"true", "a boolean"), (b"-1", "a number")],
)
def test_types_of_values_in_messages(text: bytes, kind: str) -> None:
    """Messages show the type and never the value."""
    assert kind_of(text) == kind
