"""The text around a place, cut to what a person can take in."""

from typing import Final

from td_currents_cli.model import Excerpt

BEFORE: Final = 60
AFTER: Final = 100
"""Characters shown on each side of the place."""

_WIDEST: Final = 4
"""Bytes of the longest character in UTF-8."""


def excerpt(text: bytes, byte: int) -> Excerpt:
    """The line that holds a byte, or a window of it when it is long, as batches without line ends are."""
    begin = text.rfind(b"\n", max(0, byte - BEFORE * _WIDEST - _WIDEST), byte) + 1
    begin = begin or max(0, byte - BEFORE * _WIDEST)
    end = text.find(b"\n", byte, byte + AFTER * _WIDEST)
    end = end if end >= 0 else min(len(text), byte + AFTER * _WIDEST)
    before = text[begin:byte].decode(errors="replace")
    after = text[byte:end].decode(errors="replace").rstrip("\r")
    return Excerpt(
        text=before[-BEFORE:] + after[:AFTER],
        caret=len(before[-BEFORE:]),
        cut_before=len(before) > BEFORE or (begin > 0 and text[begin - 1 : begin] != b"\n"),
        cut_after=len(after) > AFTER or (end < len(text) and text[end : end + 1] != b"\n"),
    )
