"""Checks of the JSON of a document: what is around its events, duplicate keys, large numbers, and its depth."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS
from td_currents_cli.events.json import Elements, too_deep_at
from td_currents_cli.model import Code
from td_currents_cli.patterns import pattern
from td_currents_cli.validate.checks import MAX_LEVELS, shortened
from td_currents_cli.validate.positions import Violation, walk_values

_BEFORE: Final = pattern(rb'\s*\{\s*"events"\s*:\s*\Z')
_AFTER: Final = pattern(rb"\s*\]\s*\}\s*\Z")
"""Before and after the events of a document without other fields."""


def check_document(elements: Elements, end: int) -> Iterator[Violation]:
    """Check a batch as a whole, the last element of which ends before byte `end`; each violation has its byte offset.

    An ingested row was already received: no limit concerns it, and its wrapping is the export's, not Braze's.
    """
    data, begin = elements.batch.data, elements.begin
    arrived = elements.batch.location.row is not None
    if elements.pointer is None:
        if not arrived and elements.batch.array is None:
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
    deep_at = too_deep_at(around, MAX_LEVELS)
    if deep_at is not None:
        yield Violation(Code.TOO_DEEP, (), TOO_DEEP, at=deep_at + hidden if deep_at > begin else deep_at)
        return
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


_NUMBER: Final = pattern(rb"-?\d+(?P<fraction>[.eE][\d.eE+-]*)?")
_MANY_DIGITS: Final = pattern(rb"[0-9]{19}")
_ESCAPED_COLON: Final = pattern(rb"\\u003[aA]")
_DIGITS: Final = 18  # always fit into 64 bits


def is_plain(text: bytes, value: Any) -> bool:  # noqa: ANN401 -- any JSON value
    """Whether `check_text` surely finds nothing in this, at a tenth of its cost.

    `value` was decoded from it by msgspec, which accepts only integers beyond 64 bits.
    """
    return not _MANY_DIGITS.search(text) and kept_all(text, msgspec.json.encode(value))


def kept_all(text: bytes, encoded: bytes) -> bool:
    r"""Whether a value that was decoded from `text`, and encoded again, has all its fields.

    A decoder keeps one of two fields with the same name. Both documents have a colon after each name, and those within
    strings; only where some of these are written as `\u003a` do the quotes have to be counted.
    """
    # Searching for one character, which most texts do not have, is fast; a pattern takes as long as counting.
    if b"\\" in text and _ESCAPED_COLON.search(text):
        return _delimiters(text) == _delimiters(encoded)
    # There are a quarter as many colons as quotes, and counting stops at each.
    return text.count(b":") == encoded.count(b":")


def _delimiters(json: bytes) -> int:
    return json.replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"')


def check_text(text: bytes) -> Iterator[Violation]:
    """Check all values of well-formed JSON text."""
    names: list[set[str | int]] = []
    for path, name_at, value_at in walk_values(text):
        # One set for each object that is still open: memory does not grow with the number of values.
        del names[len(path) :]
        if path and isinstance(path[-1], str):
            names += [set() for _ in range(len(path) - len(names))]
            if path[-1] in names[-1]:
                message = f"duplicate key `{shortened(path[-1])}`"
                yield Violation(Code.DUPLICATE_KEY, path, message, at=name_at)
            names[-1].add(path[-1])
        number = _NUMBER.match(text, value_at)
        if number and _is_too_large(number.group(), whole=number["fraction"] is None):
            yield Violation(Code.NUMBER_TOO_LARGE, path, "the number does not fit into 64 bits", at=value_at)


def _is_too_large(number: bytes, *, whole: bool) -> bool:
    if not whole:
        return float(number) in {float("inf"), float("-inf")}
    digits = number.lstrip(b"-")
    # Python is slow to convert huge integers, and refuses more than 4,300 digits.
    return len(digits) > _DIGITS + 1 or (len(digits) > _DIGITS and not -(2**63) <= int(number) < 2**63)


TOO_DEEP: Final = f"arrays and objects are nested more than {MAX_LEVELS} levels deep"
