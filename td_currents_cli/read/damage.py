"""Where malformed JSON ends, so that what follows it can be read."""

import re
from typing import Final

_LINE_END: Final = ord("\n")
_OPENING: Final = b"{["
_OPENER: Final = {ord("}"): ord("{"), ord("]"): ord("[")}

# An unclosed string ends with its line: JSON has no raw line ends in strings.
_STRING: Final = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?'
_TOKEN: Final = re.compile(_STRING + rb"|[{}\[\]\n]")
_SCALAR: Final = re.compile(rb"(?:" + _STRING + rb'|[^",{}\[\]\n"])*+')


def next_value(indentation: bytes) -> re.Pattern[bytes]:
    """Match a line end, and a line that begins with that indentation and an object or an array."""
    return re.compile(rb"\n" + re.escape(indentation) + rb"[{\[]")


def bracket_end(text: bytes, start: int, next_one: re.Pattern[bytes]) -> int | None:
    """Return where the object or array at `start` ends; None when it does not end in this text.

    It ends where its bracket is closed, or where `next_one` matches, if that comes first. A closing bracket closes
    whatever was left open within its pair, and is ignored where it has no pair.
    """
    still_open = bytearray()
    for token in _TOKEN.finditer(text, start):
        mark = text[token.start()]
        if mark in _OPENING:
            still_open.append(mark)
        elif mark in _OPENER:
            place = still_open.rfind(_OPENER[mark])
            if place == 0:
                return token.end()
            if place > 0:
                del still_open[place:]
        elif mark == _LINE_END and next_one.match(text, token.start()):
            return token.start()
    return None


def scalar_end(text: bytes, start: int) -> int:
    """Return where a scalar or junk ends: at a comma, a bracket or the line's end, but at least a byte further."""
    match = _SCALAR.match(text, start)
    return max(match.end() if match else start, start + 1)
