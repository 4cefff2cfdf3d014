"""The `events` cell of an ingested row: a Braze batch as a JSON string."""

import re
from typing import Final

import msgspec
from msgspec import Raw

from td_currents_cli.read.rows.torn import truncated_array
from td_currents_cli.read.scanner import is_json

EMPTY_BATCH: Final = b"[]"

# Tuples, not sets, for which a whole batch would be hashed.
NULLS: Final = ("", "null", "NULL", "\\N")
"""What stands for no value: Treasure Data writes the first two, Hive and other databases the others."""

NULL_BYTES: Final = tuple(map(str.encode, NULLS))

_WRAPPED: Final = re.compile(rb'\s*(?:\[\s*)?"')
_ELEMENTS: Final = msgspec.json.Decoder(list[Raw])
_STRING: Final = msgspec.json.Decoder(str)
_LONGEST_ESCAPE: Final = len(r"\ud83")


def batch_text(cell: str) -> bytes:
    """Return the JSON text of the batch in a cell; an empty batch for `NULLS`.

    It may be an array of events or a `{"events": […]}` object: it is not decoded here.
    """
    text = cell.strip()
    if text in NULLS:
        return EMPTY_BATCH
    # A lone surrogate cannot be UTF-8; the decoder of the batch reports the bytes it leaves.
    return unwrapped(text.encode(errors="surrogatepass"))


def unwrapped(text: bytes) -> bytes:
    """Remove the additional layer of JSON strings that some exports put around a batch, or around its events.

    What cannot be unwrapped is left unchanged, for `events.decode` to report.
    """
    if not _WRAPPED.match(text):
        return text
    if text.lstrip().startswith(b'"'):
        inner = _string_in(text.strip())
        return text if inner is None else batch_text(inner)
    try:
        return b"[" + b",".join([_unwrapped_event(bytes(each)) for each in _ELEMENTS.decode(text)]) + b"]"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        left = truncated_array(text)
        if left is None:
            return text
        # What follows the last complete string is left unchanged, and still truncated.
        return b"[" + b"".join([_unwrapped_event(each) + b"," for each in left.elements]) + left.rest


def wrong_width(cells: int, width: int) -> str:
    """Say that a row has the wrong number of cells."""
    return f"the row has {cells} of {width} cells" if cells < width else f"the row has {cells} cells, not {width}"


def _string_in(text: bytes) -> str | None:
    """Decode a JSON string, truncated or not; None for anything else."""
    try:
        return _STRING.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    for missing in range(_LONGEST_ESCAPE + 1):
        try:
            return _STRING.decode(text[: len(text) - missing] + b'"')
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return None


def _unwrapped_event(element: bytes) -> bytes:
    if element.startswith(b'"'):
        try:
            inner = _STRING.decode(element).strip().encode()
        except (msgspec.DecodeError, UnicodeError):
            return element
        if inner.startswith(b"{") and is_json(inner):
            return inner
    return element
