"""What only the text of JSON shows: names that stand twice in an object, and numbers too large to come back."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from td_currents_cli.codes import Code
from td_currents_cli.validate.finding import Violation
from td_currents_cli.validate.locate import members
from td_currents_cli.validate.types import shortened

_NUMBER: Final = re.compile(rb"-?\d+(?P<fraction>[.eE][\d.eE+-]*)?")
_MANY_DIGITS: Final = re.compile(rb"[0-9]{19}")
_SPELLED_COLON: Final = re.compile(rb"\\u003[aA]")
_DIGITS: Final = 18
"""Decimal digits that always fit into 64 bits."""


def is_plain(text: bytes, value: Any) -> bool:  # noqa: ANN401 -- any JSON value
    """Whether `check_text` has surely nothing to remark, at a tenth of its cost.

    Args:
        text: well-formed JSON.
        value: what msgspec has made of it, which takes no number beyond those of 64 bits but integers.
    """
    return not _MANY_DIGITS.search(text) and kept_all(text, msgspec.json.encode(value))


def kept_all(text: bytes, encoded: bytes) -> bool:
    r"""Whether the value that was decoded from a text, and encoded again, has all members of it.

    A decoder keeps one of two members of the same name. Both texts have a colon after each name, and those within
    texts too; only where some of these are spelled `\u003a` has the text to be looked at closely.
    """
    # One character is found at the speed of memory, which most texts are without; a pattern takes as long as counting.
    if b"\\" in text and _SPELLED_COLON.search(text):
        return _delimiters(text) == _delimiters(encoded)
    # There are a quarter as many colons as quotes: counting stops at each.
    return text.count(b":") == encoded.count(b":")


def _delimiters(json: bytes) -> int:
    return json.replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"')


def check_text(text: bytes) -> Iterator[Violation]:
    """Remarks on all values of well-formed JSON text."""
    names: list[set[str | int]] = []
    for path, name_at, value_at in members(text):
        # One set for each object that is still open: memory does not grow with the number of values.
        del names[len(path) :]
        if path and isinstance(path[-1], str):
            names += [set() for _ in range(len(path) - len(names))]
            if path[-1] in names[-1]:
                message = f"`{shortened(path[-1])}` stands twice in one object"
                yield Violation(Code.DUPLICATE_KEY, path, message, at=name_at)
            names[-1].add(path[-1])
        number = _NUMBER.match(text, value_at)
        if number and _is_too_large(number.group(), whole=number["fraction"] is None):
            yield Violation(Code.NUMBER_TOO_LARGE, path, "the number is beyond 64 bits", at=value_at)


def _is_too_large(number: bytes, *, whole: bool) -> bool:
    if not whole:
        return float(number) in {float("inf"), float("-inf")}
    digits = number.lstrip(b"-")
    # Python takes its time over the text of a huge integer, and refuses one of more than 4,300 digits.
    return len(digits) > _DIGITS + 1 or (len(digits) > _DIGITS and not -(2**63) <= int(number) < 2**63)
