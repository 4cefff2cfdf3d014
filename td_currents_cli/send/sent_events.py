"""Which events a request held, as the journal keeps it: three fields of each. `read.journal_events` reads it."""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from td_currents_cli.events.lenient import loads
from td_currents_cli.send.payload import Payload
from td_currents_cli.send.whole import Kept, kept_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Ids are random: more effort saves nothing. To make a compressor takes longer than to use one. It has a lock of its
# own, for the thread that plans and the one that sends.
_compressor: Final = zstd.ZstdCompressor(level=1)


_encode: Final = msgspec.json.Encoder().encode
_KINDS: Final[dict[str, set[type]]] = {"id": {str}, "event_type": {str}, "time": {int, float, str}}


def packed_events(payload: Payload) -> bytes:
    """`id`, `event_type` and `time` of each event, null for what is missing or of another kind, and nothing else."""
    kept = kept_of(payload.body)
    packed = b"" if kept is None else packed_fields(kept)
    return packed or _packed(json.dumps([_row(event) for event in payload.event_texts()]).encode())


def packed_fields(kept: Sequence[Kept]) -> bytes:
    """The same of events that are decoded already; empty where they hold what cannot be written like that."""
    try:
        return _packed(_encode(kept))
    except OverflowError:
        return b""


def _packed(text: bytes) -> bytes:
    packed: bytes = _compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)
    return packed


def _row(event: bytes) -> list[Any]:
    """One of those that are odd: texts that no decoder takes, numbers beyond 64 bits, values that are neither."""
    members = loads(event)
    return [value if type(value := members.get(name)) in kinds else None for name, kinds in _KINDS.items()]
