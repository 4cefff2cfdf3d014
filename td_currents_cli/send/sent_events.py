"""The events of a request as the journal stores them: three fields of each. `read.journal_events` reads them."""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from td_currents_cli.events.json import loads
from td_currents_cli.send.payload import Payload
from td_currents_cli.send.whole import JournalFields, journal_fields

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Level 1: ids are random, so more effort saves nothing. Shared: creating a compressor takes longer than using one, and
# it locks itself between threads.
_compressor: Final = zstd.ZstdCompressor(level=1)
_encode: Final = msgspec.json.Encoder().encode
_TYPES: Final[dict[str, set[type]]] = {"id": {str}, "event_type": {str}, "time": {int, float, str}}


def pack_events(payload: Payload) -> bytes:
    """Pack `id`, `event_type` and `time` of each event, with null for what is missing or has another type."""
    fields = journal_fields(payload.body)
    packed = b"" if fields is None else pack_fields(fields)
    return packed or _compress(json.dumps([_unusual_fields(event) for event in payload.event_texts()]).encode())


def pack_fields(fields: Sequence[JournalFields]) -> bytes:
    """Pack decoded fields; empty if a value cannot be encoded."""
    try:
        return _compress(_encode(fields))
    except OverflowError:
        return b""


def _compress(text: bytes) -> bytes:
    packed: bytes = _compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)
    return packed


def _unusual_fields(event: bytes) -> list[Any]:
    """Those of an event that msgspec does not decode: lone surrogates, numbers beyond 64 bits, other types."""
    fields = loads(event)
    return [value if type(value := fields.get(name)) in types else None for name, types in _TYPES.items()]
