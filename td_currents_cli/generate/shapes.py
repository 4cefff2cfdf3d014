"""Output formats: payloads as posted by Braze, or rows as stored by Treasure Data."""

from collections.abc import Callable, Mapping
from typing import Final

from td_currents_cli.generate.request import GenerateFormat
from td_currents_cli.generate.stream import GeneratedBatch

HEADERS: Final[Mapping[GenerateFormat, tuple[bytes, ...]]] = {GenerateFormat.rows_csv: (b"time,events\n",)}
"""Lines before the first batch."""


def batch_writer(shape: GenerateFormat) -> Callable[[GeneratedBatch], bytes]:
    return _LINES[shape]


def _payload(batch: GeneratedBatch) -> bytes:
    return b'{"events":%b}\n' % _array(batch)


def _csv(batch: GeneratedBatch) -> bytes:
    return b'%d,"%b"\n' % (batch.received, _array(batch).replace(b'"', b'""'))


def _jsonl(batch: GeneratedBatch) -> bytes:
    # JSON has no control characters, so only these two need escapes in a string.
    text = _array(batch).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'{"time":%d,"events":"%b"}\n' % (batch.received, text)


def _array(batch: GeneratedBatch) -> bytes:
    return b"[%b]" % b",".join(batch.events)


_LINES: Final[Mapping[GenerateFormat, Callable[[GeneratedBatch], bytes]]] = {
    GenerateFormat.payloads: _payload,
    GenerateFormat.rows_csv: _csv,
    GenerateFormat.rows_jsonl: _jsonl,
}
