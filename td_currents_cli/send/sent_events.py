"""Which events a request held, as the journal keeps it: three fields of each. `read.journal_events` reads it."""

import json
import sys
from typing import Any, Final

import msgspec
from msgspec import Struct

from td_currents_cli.events.lenient import loads
from td_currents_cli.send.payload import Payload

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Ids are random: more effort saves nothing. To make a compressor takes longer than to use one.
_compressor: Final = zstd.ZstdCompressor(level=1)


class _Event(Struct, gc=False):
    id: str | None = None
    event_type: str | None = None
    time: int | float | str | None = None


class _Events(Struct, gc=False):
    events: list[_Event]


_decode: Final = msgspec.json.Decoder(_Events).decode
_encode: Final = msgspec.json.Encoder().encode
_KINDS: Final[dict[str, set[type]]] = {"id": {str}, "event_type": {str}, "time": {int, float, str}}


def packed_events(payload: Payload) -> bytes:
    """`id`, `event_type` and `time` of each event, null for what is missing or of another kind, and nothing else."""
    try:
        text = _encode([(each.id, each.event_type, each.time) for each in _decode(payload.body).events])
    except (msgspec.DecodeError, OverflowError):
        text = json.dumps([_row(event) for event in payload.event_texts()]).encode()
    packed: bytes = _compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)
    return packed


def _row(event: bytes) -> list[Any]:
    """One of those that are odd: texts that no decoder takes, numbers beyond 64 bits, values that are neither."""
    members = loads(event)
    return [value if type(value := members.get(name)) in kinds else None for name, kinds in _KINDS.items()]
