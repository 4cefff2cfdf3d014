"""Depth of nested values, measured on the text: no two parsers, nor two calls of one, stop at the same depth."""

import re
from itertools import accumulate
from typing import Final

from td_currents_cli.validate.limits import MAX_LEVELS

_BRACKETS_AND_QUOTE: Final = b'{}[]"'
_OTHERS: Final = bytes(code for code in range(256) if code not in _BRACKETS_AND_QUOTE)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_STRING: Final = re.compile(rb'"[^"]*"?')
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\]]', re.DOTALL)


def too_deep_at(json: bytes) -> int | None:
    """Byte offset of the first bracket that opens a level beyond `MAX_LEVELS`, or None.

    Args:
        json: well-formed or not.
    """
    if json.count(b"{") + json.count(b"[") <= MAX_LEVELS:
        return None
    marks = json.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
    steps = map(_STEPS.__getitem__, _STRING.sub(b"", marks))
    if max(accumulate(steps), default=0) <= MAX_LEVELS:
        return None
    depth = 0
    for token in _TOKEN.finditer(json):
        depth += _STEPS.get(json[token.start()], 0)
        if depth > MAX_LEVELS:
            return token.start()
    return None
