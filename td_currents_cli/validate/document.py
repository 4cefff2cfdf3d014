"""The document around the events: what stands beside them, and whether one request can hold it."""

import re
from collections.abc import Iterator
from typing import Final

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS
from td_currents_cli.codes import Code
from td_currents_cli.events.elements import Elements
from td_currents_cli.validate.finding import Violation
from td_currents_cli.validate.locate import members
from td_currents_cli.validate.types import shortened

_BEFORE: Final = re.compile(rb'\s*\{\s*"events"\s*:\s*\Z')
_AFTER: Final = re.compile(rb"\s*\]\s*\}\s*\Z")
"""What stands before and after the events of a document that has nothing else."""


def check_document(elements: Elements, end: int) -> Iterator[Violation]:
    """Remarks on a batch as a whole, each with the byte it is about.

    An ingested row has arrived: no limit concerns it, and how the export wraps its events is not Braze's doing.

    Args:
        elements: of the batch.
        end: byte after the last of them.
    """
    data, begin = elements.batch.data, elements.begin
    arrived = elements.batch.location.row is not None
    if elements.pointer is None:
        if not arrived:
            yield Violation(Code.BARE_EVENT, (), "an event by itself, where a batch of events is meant", at=0)
        return
    is_null = not arrived and not data.startswith(b"[", begin)
    if not elements.texts and not is_null:
        yield Violation(Code.EMPTY_BATCH, ("events",) if elements.pointer else (), "the batch has no events", at=begin)
    if arrived:
        return
    if len(elements.texts) > MAX_EVENTS:
        message = f"the batch has {len(elements.texts):,} events; Braze sends up to {MAX_EVENTS}"
        yield Violation(Code.TOO_MANY_EVENTS, ("events",), message, at=begin)
    if len(data) > MAX_BYTES:
        yield Violation(Code.BODY_TOO_LARGE, (), f"the body has {len(data):,} bytes, over {MAX_BYTES:,}", at=0)
    plain = elements.texts and _BEFORE.match(data, 0, begin) and _AFTER.match(data, end)
    if data.startswith(b"{") and not plain:
        yield from _beside(data, begin, end)


def _beside(data: bytes, begin: int, end: int) -> Iterator[Violation]:
    """Remarks on other members of the document, and on `events` itself where it is null."""
    # All events as one number, so that only what is around them is looked at.
    hidden = end - begin - 2 if end > begin else 0
    around = data[:begin] + b"[1" + data[end:] if hidden else data
    seen: set[str] = set()
    for path, name_at, value_at in members(around):
        if len(path) != 1:
            continue
        name = str(path[0])
        at = name_at + hidden if name_at > begin else name_at
        if name in seen:
            yield Violation(Code.DUPLICATE_KEY, path, f"`{shortened(name)}` stands twice in one object", at=at)
        elif name != "events":
            message = f"`{shortened(name)}` beside `events` becomes a column of its own"
            yield Violation(Code.OTHER_KEY, path, message, at=at)
        elif around.startswith(b"null", value_at):
            yield Violation(Code.EVENTS_NOT_ARRAY, path, "`events` should be an array, found null", at=value_at)
        seen.add(name)
