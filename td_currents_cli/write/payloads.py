"""Events as payloads, one per line, which can be sent."""

from typing import BinaryIO

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS, PAYLOAD_END, PAYLOAD_START


class PayloadWriter:
    """Writes events, byte for byte, as payloads with a maximum of events and bytes. Flush it in the end.

    An event that is too large is a payload of its own.
    """

    def __init__(self, output: BinaryIO, *, events: int = MAX_EVENTS, size: int = MAX_BYTES) -> None:
        self.payloads = 0  # written
        self._output = output
        self._max_events = events
        self._max_bytes = size
        self._events: list[bytes] = []
        self._size = 0

    def add(self, event: bytes) -> None:
        size = self._size + 1 + len(event)
        if self._events and (len(self._events) >= self._max_events or size > self._max_bytes):
            self.flush()
        self._size = (self._size + 1 if self._events else len(PAYLOAD_START) + len(PAYLOAD_END)) + len(event)
        self._events.append(event)

    def flush(self) -> None:
        if self._events:
            self._output.write(b"".join((PAYLOAD_START, b",".join(self._events), PAYLOAD_END, b"\n")))
            self.payloads += 1
            self._events = []
            self._size = 0
