"""Fixtures that tests of several rooms share."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.receiver import Receiver, Settings


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A real receiver on a free loopback port, with a write key of its own.

    Attributes:
        url: Postback URL (v2) of a table.
        key: the write key whose rows are stored; others are answered 200 and dropped.
        store: JSON Lines file with the rows.
        receiver: for other tables' URLs and the figures.
    """

    url: str
    key: str = field(repr=False)
    store: Path
    receiver: Receiver

    def rows(self) -> list[dict[str, Any]]:
        """The rows stored so far: `time`, `events` (JSON text), and what else was sent."""
        return [json.loads(line) for line in self.store.read_text("utf-8").split("\n") if line]

    def events(self) -> list[Any]:
        """The events of all rows, in the order stored."""
        return [event for row in self.rows() for event in json.loads(row["events"])]


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """A running local Postback endpoint (see Endpoint)."""
    key = "1/0123456789abcdef0123456789abcdef01234567"
    settings = Settings(store=tmp_path / "endpoint-rows.jsonl", write_key=key)
    with Receiver(settings) as receiver:
        yield Endpoint(receiver.url("braze", "currents"), key, receiver.store, receiver)
