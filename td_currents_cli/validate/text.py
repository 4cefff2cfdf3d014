"""Problems that only the JSON text shows: duplicate keys, and numbers that do not fit into 64 bits."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from td_currents_cli.model import Code
from td_currents_cli.validate.finding import Violation
from td_currents_cli.validate.locate import walk_values
from td_currents_cli.validate.types import shortened

_NUMBER: Final = re.compile(rb"-?\d+(?P<fraction>[.eE][\d.eE+-]*)?")
_MANY_DIGITS: Final = re.compile(rb"[0-9]{19}")
_ESCAPED_COLON: Final = re.compile(rb"\\u003[aA]")
_DIGITS: Final = 18
"""Decimal digits that always fit into 64 bits."""


def is_plain(text: bytes, value: Any) -> bool:  # noqa: ANN401 -- any JSON value
    """Whether `check_text` surely finds nothing, at a tenth of its cost.

    Args:
        text: well-formed JSON.
        value: decoded from it by msgspec, which accepts only integers beyond 64 bits.
    """
    return not _MANY_DIGITS.search(text) and kept_all(text, msgspec.json.encode(value))


def kept_all(text: bytes, encoded: bytes) -> bool:
    r"""Whether a value that was decoded from `text`, and encoded again, has all its fields.

    A decoder keeps one of two fields with the same name. Both texts have a colon after each name, and those within
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
