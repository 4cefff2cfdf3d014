"""How batches are written down: as the payloads Braze posts, or as the rows Treasure Data makes of them."""

from collections.abc import Callable, Mapping
from typing import Final

from td_currents_cli.generate.request import Shape
from td_currents_cli.generate.stream import Sent

HEADERS: Final[Mapping[Shape, tuple[bytes, ...]]] = {Shape.rows_csv: (b"time,events\n",)}
"""The lines that stand before the first batch, where a shape has any."""


def line(shape: Shape) -> Callable[[Sent], bytes]:
    """The function that writes a batch in a shape, line feed included."""
    return _LINES[shape]


def _payload(batch: Sent) -> bytes:
    return b'{"events":%b}\n' % _array(batch)


def _csv(batch: Sent) -> bytes:
    return b'%d,"%b"\n' % (batch.received, _array(batch).replace(b'"', b'""'))


def _jsonl(batch: Sent) -> bytes:
    # JSON text holds no control characters: these two are all that a string cannot hold as they are.
    text = _array(batch).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'{"time":%d,"events":"%b"}\n' % (batch.received, text)


def _array(batch: Sent) -> bytes:
    return b"[%b]" % b",".join(batch.events)


_LINES: Final[Mapping[Shape, Callable[[Sent], bytes]]] = {
    Shape.payloads: _payload,
    Shape.rows_csv: _csv,
    Shape.rows_jsonl: _jsonl,
}
