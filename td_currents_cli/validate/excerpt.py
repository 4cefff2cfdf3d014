"""The line around a position, shortened for people."""

from typing import Final

from td_currents_cli.model import Excerpt

_BEFORE: Final = 60
_AFTER: Final = 100
"""Characters shown on each side of the position."""

_MAX_CHARACTER: Final = 4
"""Bytes of the longest character in UTF-8."""


def excerpt(text: bytes, byte: int) -> Excerpt:
    """The line that contains a byte, or a part of it if it is long, as batches without line breaks are."""
    window = _BEFORE * _MAX_CHARACTER
    begin = text.rfind(b"\n", max(0, byte - window - _MAX_CHARACTER), byte) + 1 or max(0, byte - window)
    end = text.find(b"\n", byte, byte + _AFTER * _MAX_CHARACTER)
    end = end if end >= 0 else min(len(text), byte + _AFTER * _MAX_CHARACTER)
    before = text[begin:byte].decode(errors="replace")
    after = text[byte:end].decode(errors="replace").rstrip("\r")
    return Excerpt(
        text=before[-_BEFORE:] + after[:_AFTER],
        caret=len(before[-_BEFORE:]),
        cut_before=len(before) > _BEFORE or (begin > 0 and text[begin - 1 : begin] != b"\n"),
        cut_after=len(after) > _AFTER or (end < len(text) and text[end : end + 1] != b"\n"),
    )
