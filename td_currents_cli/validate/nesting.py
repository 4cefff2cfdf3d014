"""How deep values stand in one another. Asked of the text, since no two parsers, nor two calls of one, stop alike."""

import re
from itertools import accumulate
from typing import Final

from td_currents_cli.validate.limits import MOST_NESTED

_MARKS: Final = b'{}[]"'
_OTHERS: Final = bytes(code for code in range(256) if code not in _MARKS)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_TEXT: Final = re.compile(rb'"[^"]*"?')
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\]]', re.DOTALL)


def too_deep_at(json: bytes) -> int | None:
    """Byte offset of the first bracket that opens a level beyond `MOST_NESTED`, or None.

    Args:
        json: well-formed or not.
    """
    if json.count(b"{") + json.count(b"[") <= MOST_NESTED:
        return None
    marks = json.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
    steps = map(_STEPS.__getitem__, _TEXT.sub(b"", marks))
    if max(accumulate(steps), default=0) <= MOST_NESTED:
        return None
    depth = 0
    for token in _TOKEN.finditer(json):
        depth += _STEPS.get(json[token.start()], 0)
        if depth > MOST_NESTED:
            return token.start()
    return None
