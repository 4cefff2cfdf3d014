"""A payload as a tree: as it was sent, with its problems where they are, and without personal data unless asked."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_currents_cli.live_page import payload as module
from td_currents_cli.live_page.payload import HIDDEN, MAX_LEVELS, MAX_NODES, MAX_STRING, Node, PayloadView, view
from td_currents_cli.live_page.recent import ReceivedPayload
from td_currents_cli.live_page.summary import LatestRequest

AT = 1_800_000_000


def viewed(body: bytes | dict[str, Any], *, masked: bool = True) -> PayloadView:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = LatestRequest(
        number=1, at=AT, method="POST", target="/", status=200, size=len(sent), result="stored", events=1, reason="",
        fault="",
    )  # fmt: skip
    found = view(ReceivedPayload(1, request, sent), masked=masked)
    msgspec.json.encode(found)  # whatever was sent
    return found


def nodes(node: Node | None) -> dict[str, Node]:
    """All nodes by their pointers."""
    assert node is not None
    return {node.pointer: node} | {pointer: each for child in node.children for pointer, each in nodes(child).items()}


def event(**changes: Any) -> dict[str, Any]:
    good = {
        "event_type": "users.messages.email.Open",
        "id": "a1",
        "time": AT - 60,
        "user": {"user_id": "u", "external_user_id": "x"},
        "properties": {"email_address": "ada@example.com", "campaign_name": "Spring", "dispatch_id": "d"},
    }
    return good | changes


def test_values_are_shown_as_they_were_sent() -> None:
    """Numbers of any size, names that occur twice, and lone surrogates, which cannot be sent as they are."""
    body = (
        rb'{"events":[{"event_type":"a","n":12345678901234567890,"f":1.0,"e":1e5,"x":1,"x":null,"s":"\ud800\u202e"}]}'
    )
    found = viewed(body, masked=False).tree
    assert found
    (event,) = found.children[0].children
    assert [(each.name, each.kind, each.text) for each in event.children] == [
        ("event_type", "string", "a"),
        ("n", "number", "12345678901234567890"),
        ("f", "number", "1.0"),
        ("e", "number", "1e5"),
        ("x", "number", "1"),
        ("x", "null", "null"),
        ("s", "string", "\\ud800\u202e"),
    ]
    assert (event.label, event.size) == ("a", 7)


def rebuilt(node: Node) -> Any:
    """What the tree of a JSON value says, with objects as lists of pairs."""
    if node.kind == "object":
        return [(child.name, rebuilt(child)) for child in node.children]
    if node.kind == "array":
        return [rebuilt(child) for child in node.children]
    return node.text if node.kind == "string" else json.loads(node.text or "")


NAMES = st.sampled_from(["events", "event_type", "user", "properties", "custom_properties", "email", "a/b", "a~b", ""])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), values, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4) | st.lists(VALUES, max_size=3))
def test_the_tree_of_any_payload_is_its_content(value: Any) -> None:
    """Whatever was sent, well-formed events or not; without personal data, the form is the same."""
    body = json.dumps(value).encode()
    shown, masked = viewed(body, masked=False).tree, viewed(body).tree
    assert shown is not None
    assert rebuilt(shown) == json.loads(body, object_pairs_hook=list)
    assert nodes(masked).keys() <= nodes(shown).keys()


def test_a_flat_event_stays_flat() -> None:
    """A tree shows what was sent, not what it should have been; the personal data is hidden all the same."""
    found = nodes(viewed({"events": [{"event_type": "x", "dispatch_id": "d", "email_address": "a@example.com"}]}).tree)
    assert found["/events/0/dispatch_id"].text == "d"
    assert (found["/events/0/email_address"].text, found["/events/0/email_address"].hidden) == (HIDDEN, True)


def test_problems_are_where_they_are() -> None:
    """At the value, or the object that lacks a field; and in the number of each value above."""
    bad = event(time=str(AT), properties={"dispatch_id": 7})
    del bad["user"]
    found = viewed({"events": [event(), bad], "extra": 1})
    by_pointer = {
        pointer: sorted(str(found.problems[index]["code"]) for index in node.problems)
        for pointer, node in nodes(found.tree).items()
        if node.problems
    }
    assert by_pointer["/events/1/time"] == ["TDC113"]
    assert "TDC108" in by_pointer["/events/1"]
    assert by_pointer["/events/1/properties/dispatch_id"] == ["TDC203"]
    assert by_pointer["/extra"] == ["TDC016"]
    assert not any(pointer.startswith("/events/0") for pointer in by_pointer)
    tree = nodes(found.tree)
    assert (tree[""].errors, tree[""].warnings) == (found.errors, found.warnings)
    assert tree["/events"].errors == tree["/events/1"].errors > 0 == tree["/events/0"].errors
    assert found.problems_total == len(found.problems)


def test_ids_are_compared_within_the_payload() -> None:
    found = viewed({"events": [event(), event()]})
    assert [(each["code"], each["pointer"]) for each in found.problems] == [("TDC117", "/events/1/id")]


PERSONAL = {
    "email_address": "ada@example.com",
    "custom_properties": {"note": "call +1 555 0100 200", "phone": 15550100, "plan": "gold"},
}


@pytest.mark.parametrize("form", ["payload", "array", "event"])
def test_personal_data_is_hidden(form: str) -> None:
    """Marked by the catalog, by name, or by what it looks like, wherever it is; the rest of an object is shown."""
    one = event(properties=PERSONAL)
    body: Any = {"payload": {"events": [one, "eve@example.com"], "contact": "eve@example.com"}, "array": [one]}
    sent = json.dumps(body.get(form, one)).encode()
    hidden, shown = (msgspec.json.encode(viewed(sent, masked=masked)).decode() for masked in (True, False))
    for secret in ("ada@example.com", "555 0100", "15550100", "eve@example.com"):
        assert secret not in hidden
        assert (secret in shown) == (secret in sent.decode())
    tree = nodes(viewed(sent).tree)
    start = {"payload": "/events/0", "array": "/0", "event": ""}[form]
    custom = f"{start}/properties/custom_properties"
    assert [tree[f"{custom}/{name}"].text for name in ("note", "phone", "plan")] == [HIDDEN, HIDDEN, "gold"]
    assert tree[f"{start}/event_type"].text == one["event_type"]


def test_what_is_not_json_is_shown_only_if_asked() -> None:
    """Nobody knows where personal data is in it."""
    masked, unmasked = viewed(b'{"email": "ada@'), viewed(b'{"email": "ada@\xff', masked=False)
    assert (masked.tree, masked.text, unmasked.text) == (None, None, '{"email": "ada@\ufffd')
    assert [each["code"] for each in masked.problems] == ["TDC002"]


def test_trees_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of long strings and many values the beginning is shown, with how much is left out."""
    assert MAX_NODES >= 100 * 100
    monkeypatch.setattr(module, "MAX_NODES", 50)
    found = viewed({"events": [{"s": "x" * (MAX_STRING + 5)}, [1] * 100]}, masked=False).tree
    tree = nodes(found)
    assert (len(tree["/events/0/s"].text or ""), tree["/events/0/s"].cut) == (MAX_STRING, 5)
    assert (tree["/events/1"].size, 40 < len(tree["/events/1"].children) < 50) == (100, True)
    deep = viewed(b'{"events":[{"a":' + b"[" * 200 + b"]" * 200 + b"}]}", masked=False).tree
    assert max(pointer.count("/") for pointer in nodes(deep)) == MAX_LEVELS
    msgspec.json.encode(deep)
    too_deep = viewed(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}")
    assert (too_deep.tree, [each["code"] for each in too_deep.problems]) == (None, ["TDC007"])
