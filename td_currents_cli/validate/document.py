"""The document around the events: its other fields, and whether one request can contain it."""

import re
from collections.abc import Iterator
from typing import Final

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS
from td_currents_cli.events.json import Elements
from td_currents_cli.model import Code
from td_currents_cli.validate.finding import Violation
from td_currents_cli.validate.locate import walk_values
from td_currents_cli.validate.types import shortened

_BEFORE: Final = re.compile(rb'\s*\{\s*"events"\s*:\s*\Z')
_AFTER: Final = re.compile(rb"\s*\]\s*\}\s*\Z")
"""Before and after the events of a document without other fields."""


def check_document(elements: Elements, end: int) -> Iterator[Violation]:
    """Check a batch as a whole; each violation has its byte offset.

    An ingested row was already received: no limit concerns it, and its wrapping is the export's, not Braze's.

    Args:
        elements: of the batch.
        end: byte after the last of them.
    """
    data, begin = elements.batch.data, elements.begin
    arrived = elements.batch.location.row is not None
    if elements.pointer is None:
        if not arrived:
            yield Violation(Code.BARE_EVENT, (), "a single event instead of a batch", at=0)
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
        yield Violation(Code.BODY_TOO_LARGE, (), f"the body has {len(data):,} bytes, more than {MAX_BYTES:,}", at=0)
    plain = elements.texts and _BEFORE.match(data, 0, begin) and _AFTER.match(data, end)
    if data.startswith(b"{") and not plain:
        yield from _other_fields(data, begin, end)


def _other_fields(data: bytes, begin: int, end: int) -> Iterator[Violation]:
    """Check the other fields of the document, and whether `events` is null."""
    # All events replaced by one number, to look only at what is around them.
    hidden = end - begin - 2 if end > begin else 0
    around = data[:begin] + b"[1" + data[end:] if hidden else data
    seen: set[str] = set()
    for path, name_at, value_at in walk_values(around):
        if len(path) != 1:
            continue
        name = str(path[0])
        at = name_at + hidden if name_at > begin else name_at
        if name in seen:
            yield Violation(Code.DUPLICATE_KEY, path, f"duplicate key `{shortened(name)}`", at=at)
        elif name != "events":
            message = f"unexpected field `{shortened(name)}` next to `events`: it becomes a separate column"
            yield Violation(Code.OTHER_KEY, path, message, at=at)
        elif around.startswith(b"null", value_at):
            yield Violation(Code.EVENTS_NOT_ARRAY, path, "`events` must be an array, got null", at=value_at)
        seen.add(name)
