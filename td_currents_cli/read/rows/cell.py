"""The `events` cell of an ingested row, which holds a whole Braze batch as JSON text."""

import re
from typing import Final

import msgspec
from msgspec import Raw

from td_currents_cli.read.rows.torn import torn
from td_currents_cli.read.scanner import is_json

EMPTY_BATCH: Final = b"[]"

NOTHING: Final = ("", "null", "NULL", "\\N")
"""What stands for no value: Treasure Data writes the first two, Hive and other databases the others.

Not a set, for which a whole batch would be hashed.
"""

NOTHING_IN_BYTES: Final = tuple(map(str.encode, NOTHING))
"""The same."""

_WRAPPED: Final = re.compile(rb'\s*(?:\[\s*)?"')
_TEXTS: Final = msgspec.json.Decoder(list[Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_LONGEST_ESCAPE: Final = len(r"\ud83")


def batch_text(cell: str) -> bytes:
    """The JSON text of a batch from the text of a cell; `NOTHING` is an empty batch.

    The text may be an array of events or a whole `{"events": […]}` object: nothing here looks into it.
    """
    text = cell.strip()
    if text in NOTHING:
        return EMPTY_BATCH
    # A lone surrogate cannot be UTF-8; whoever decodes the batch reports the bytes it leaves.
    return unwrapped(text.encode(errors="surrogatepass"))


def unwrapped(text: bytes) -> bytes:
    """The text of a batch without the further layer of JSON texts that some exports put around it, or its events.

    What cannot be unwrapped is left as it is, for `events.decode` to report.
    """
    if not _WRAPPED.match(text):
        return text
    if text.lstrip().startswith(b'"'):
        inner = _inner(text.strip())
        return text if inner is None else batch_text(inner)
    return _of_texts(text)


def other_width(cells: int, width: int) -> str:
    """What is wrong with a row that has so many cells, but should have as many as the first."""
    return f"the row has {cells} of {width} cells" if cells < width else f"the row has {cells} cells, not {width}"


def _inner(text: bytes) -> str | None:
    """The text that a JSON text stands for, also where it has been cut off; None for what is neither."""
    try:
        return _TEXT.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    for missing in range(_LONGEST_ESCAPE + 1):
        try:
            return _TEXT.decode(text[: len(text) - missing] + b'"')
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return None


def _of_texts(text: bytes) -> bytes:
    """An array of JSON texts as an array of what they hold; one that holds no object is left."""
    try:
        return b"[" + b",".join([_event(bytes(each)) for each in _TEXTS.decode(text)]) + b"]"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _of_cut_texts(text)


def _of_cut_texts(text: bytes) -> bytes:
    """The same of an array that is cut off: what follows its last whole text stays as it is, and is still cut off."""
    left = torn(text)
    if left is None:
        return text
    return b"[" + b"".join([_event(each) + b"," for each in left.elements]) + left.rest


def _event(element: bytes) -> bytes:
    if element.startswith(b'"'):
        try:
            inner = _TEXT.decode(element).strip().encode()
        except (msgspec.DecodeError, UnicodeError):
            return element
        if inner.startswith(b"{") and is_json(inner):
            return inner
    return element
