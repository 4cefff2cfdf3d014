"""Which events have a user with an external id."""

import json
from typing import Any

import pytest

from td_currents_cli.events.identified import is_external_id, is_identified

VALUES = [("x", True), (["x"], True), ([], True), ({"a": 1}, True), (0, True), ("", False), (None, False)]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_any_value_is_looked_at(value: Any, expected: bool) -> None:
    """Also one that no set can be searched for."""
    assert is_external_id(value) is expected
    assert is_identified(json.dumps({"user": {"external_user_id": value}}).encode()) is expected


def test_an_event_without_a_user() -> None:
    for event in (b"{}", b'{"user":null}', b'{"user":7}', b'{"user":{}}', b"not JSON"):
        assert not is_identified(event)
