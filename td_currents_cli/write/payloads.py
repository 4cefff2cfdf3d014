"""Events out as payloads, which can be sent: `{"events":[…]}`, one after another."""

from typing import BinaryIO

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS, PAYLOAD_END, PAYLOAD_START


class PayloadWriter:
    """Writes events, byte for byte, as payloads of at most so many events and bytes.

    An event that is too large by itself is a payload by itself. Flush it in the end.

    Attributes:
        payloads: how many were written.
    """

    def __init__(self, output: BinaryIO, *, events: int = MAX_EVENTS, size: int = MAX_BYTES) -> None:
        self.payloads = 0
        self._output = output
        self._most_events = events
        self._most_bytes = size
        self._events: list[bytes] = []
        self._size = 0

    def add(self, event: bytes) -> None:
        """Write one event, now or with those that follow."""
        size = self._size + 1 + len(event)
        if self._events and (len(self._events) >= self._most_events or size > self._most_bytes):
            self.flush()
        self._size = (self._size + 1 if self._events else len(PAYLOAD_START) + len(PAYLOAD_END)) + len(event)
        self._events.append(event)

    def flush(self) -> None:
        """Write what waits for others."""
        if self._events:
            self._output.write(b"".join((PAYLOAD_START, b",".join(self._events), PAYLOAD_END, b"\n")))
            self.payloads += 1
            self._events = []
            self._size = 0
