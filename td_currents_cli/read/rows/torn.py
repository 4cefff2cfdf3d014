"""Truncated cells: cut off by the length limit of a column, or by a spreadsheet."""

import re
from io import BytesIO
from typing import Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.read.scanner import SPACE, SURROGATE, Scanner

_ARRAY_START: Final = re.compile(rb'\s*(?:\{\s*"events"\s*:\s*)?\[')
_CLOSED: Final = (b"{", b"[", b'"')
_ERROR_BYTE: Final = re.compile(r"\(byte (\d+)\)$")
_RAW: Final = msgspec.json.Decoder(Raw)


class TruncatedArray(Struct, frozen=True):
    """What is left of a truncated array."""

    elements: list[bytes]  # the complete ones
    rest: bytes  # what follows the last of them, without a comma and white space


def truncated_array(text: bytes) -> TruncatedArray | None:
    """Return the complete elements of a truncated batch; None for one that is malformed in any other way.

    An element is complete when its own closing bracket or quote is there: truncation never makes it another one.
    """
    opening = _ARRAY_START.match(text)
    if opening is None or not is_truncated(text):
        return None
    inside = text[opening.end() :]
    scanner = Scanner(BytesIO(inside))
    elements: list[bytes] = []
    end = 0
    while scanner.next_byte() and (element := scanner.take_value()) is not None:
        following = scanner.next_byte()
        if following == b",":
            scanner.skip(1)
        elif not element.startswith(_CLOSED):
            # A number may have had more digits.
            break
        elements.append(element)
        end = scanner.offset
    rest = inside[end:].strip(SPACE)
    return TruncatedArray(elements, rest) if elements or not rest or rest.startswith(_CLOSED) else None


def is_truncated(text: bytes) -> bool:
    """Whether a text would be JSON if more of it followed."""
    try:
        # Only places are taken from this copy: msgspec takes a lone surrogate for the end of the text.
        _RAW.decode(SURROGATE.sub(rb"\\u0041", text))
    except (msgspec.DecodeError, RecursionError) as error:
        # msgspec calls a truncated number malformed at its end: `-`, `1.`, `1e`.
        place = _ERROR_BYTE.search(str(error))
        return "truncated" in str(error) or (place is not None and int(place[1]) >= len(text))
    return False
