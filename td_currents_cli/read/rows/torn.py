"""Cells that end before their time: cut off by the limit of a column, or by a spreadsheet."""

import re
from io import BytesIO
from typing import Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.read.scanner import SPACE, SURROGATE, Scanner

_OPENING: Final = re.compile(rb'\s*(?:\{\s*"events"\s*:\s*)?\[')
_CLOSED: Final = (b"{", b"[", b'"')
_AT: Final = re.compile(r"\(byte (\d+)\)$")
_RAW: Final = msgspec.json.Decoder(Raw)


class Torn(Struct, frozen=True):
    """What is left of an array that has been cut off.

    Attributes:
        elements: the whole ones, as they stand.
        rest: what follows the last of them, but for a comma and white space.
    """

    elements: list[bytes]
    rest: bytes


def torn(text: bytes) -> Torn | None:
    """The whole elements of a batch whose text ends too early; None for one that is wrong in any other way.

    An element counts as whole when its own closing bracket or quote is there: a cut never makes another one of it.
    """
    opening = _OPENING.match(text)
    if opening is None or not ends_too_early(text):
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
            # Nobody knows whether more of it would have followed, as of a number.
            break
        elements.append(element)
        end = scanner.offset
    rest = inside[end:].strip(SPACE)
    return Torn(elements, rest) if elements or not rest or rest.startswith(_CLOSED) else None


def ends_too_early(text: bytes) -> bool:
    """Whether a text would be JSON if more of it followed."""
    try:
        # Only places are read off this copy: msgspec takes a lone surrogate for the end of the text.
        _RAW.decode(SURROGATE.sub(rb"\\u0041", text))
    except (msgspec.DecodeError, RecursionError) as error:
        # A number that is cut off is malformed at its end, says msgspec: `-`, `1.`, `1e`.
        place = _AT.search(str(error))
        return "truncated" in str(error) or (place is not None and int(place[1]) >= len(text))
    return False
