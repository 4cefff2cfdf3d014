"""One batch checked: every event of it, and every remark with its place."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from td_currents_cli import catalog
from td_currents_cli.codes import Code
from td_currents_cli.events.syntax import place_in
from td_currents_cli.model import Batch, Problem, Severity
from td_currents_cli.validate.envelope import check_envelope
from td_currents_cli.validate.fields import check_event_type, check_fields
from td_currents_cli.validate.finding import Finding, pointer
from td_currents_cli.validate.locate import find


def check_events(batch: Batch, events: list[Raw]) -> Iterator[Problem]:
    """All remarks on the events of a batch, in their order."""
    offset = 0
    for index, raw in enumerate(events):
        text = bytes(raw)
        # In order and each after the one before: the search begins where the event does, give or take white space.
        offset = batch.data.find(text, offset)
        event = decode(text)
        for finding in check_event(event):
            yield _problem(batch, finding, event, index, text, offset)
        offset += len(text)


def check_event(event: dict[str, Any]) -> Iterator[Finding]:
    """All remarks on one event."""
    name = event.get("event_type")
    event_type = catalog.load().get(name) if isinstance(name, str) else None
    time = event_type.field("time", catalog.Where.EVENT) if event_type else None
    yield from check_envelope(event, time_may_be_text=time is not None and time.type is catalog.FieldType.STRING)
    if event_type is not None:
        yield from check_fields(event, event_type)
    elif isinstance(name, str) and name:
        yield from check_event_type(name)


def decode(text: bytes) -> dict[str, Any]:
    """A well-formed JSON object as Python values."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        # Lone surrogates, which only Python's own parser reads.
        event: dict[str, Any] = json.loads(text)
        return event


def check_empty(batch: Batch) -> Problem:
    """The remark on a batch without events."""
    return Problem(
        code=Code.EMPTY_BATCH,
        severity=Severity.INFO,
        location=batch.location,
        message="the batch has no events",
        hint="Braze sends such a batch to test a connection; it has no effect on data.",
    )


def _problem(
    batch: Batch, finding: Finding, event: dict[str, Any], index: int, text: bytes, offset: int
) -> Problem:
    begin = _begin(batch, index)
    event_id, event_type = event.get("id"), event.get("event_type")
    return Problem(
        code=finding.code,
        severity=finding.severity,
        location=place_in(batch, offset + find(text, finding.path, name=finding.at_name)),
        message=finding.message,
        pointer=pointer((*begin, *finding.path)),
        event_index=index,
        event_id=event_id if isinstance(event_id, str) else None,
        event_type=event_type if isinstance(event_type, str) else None,
        hint=finding.hint,
    )


def _begin(batch: Batch, index: int) -> tuple[str | int, ...]:
    """Path from the root of the batch to one of its events."""
    if batch.data.startswith(b"["):
        return (index,)
    return ("events", index) if b'"events"' in batch.data else ()
