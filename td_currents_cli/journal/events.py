"""What the journal keeps of the events of a request: zstd-compressed JSON, an array of [id, event_type, time]."""

import json
import sys
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# `id`, `event_type` and `time` of an event as they were sent; None for what was missing or of another type.
SentEvent: TypeAlias = tuple[str | None, str | None, int | float | str | None]

# Level 1: ids are random, so more effort saves nothing. Shared: creating a compressor takes longer than using one, and
# it locks itself between threads.
_compressor: Final = zstd.ZstdCompressor(level=1)
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[SentEvent]).decode

DAMAGE: Final = (zstd.ZstdError, LookupError)  # what `unpacked` raises, besides `schema.DAMAGE`


def packed(events: Sequence[SentEvent], *, is_unusual: bool = False) -> bytes:
    """Pack events; `is_unusual` is whether there may be infinities, lone surrogates, or numbers beyond 64 bits."""
    try:
        text = json.dumps(events).encode() if is_unusual else _encode(events)
    except OverflowError:
        return packed(events, is_unusual=True)
    data: bytes = _compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)
    return data


def unpacked(data: bytes) -> list[SentEvent]:
    text = zstd.decompress(data)
    try:
        return _decode(text)
    except msgspec.DecodeError:
        # As above.
        return [(each[0], each[1], each[2]) for each in json.loads(text)]
