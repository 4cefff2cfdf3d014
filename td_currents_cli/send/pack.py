"""A payload in the making, of events that are not sent in the document they were read in."""

from td_currents_cli.braze import PAYLOAD_END
from td_currents_cli.send.payload import Origin, PayloadLimits, body_of


class PayloadBuilder:
    """Events that will share a request; the size of its body is exact at every moment.

    Args:
        prefix: how the body begins.
        shared: what events must have in common to join: the source of bare events, None for those of a document.
    """

    def __init__(self, prefix: bytes, shared: str | None) -> None:
        self.origins: list[Origin] = []
        self.keys: list[bytes] = []
        self._prefix = prefix
        self._shared = shared
        self._events: list[bytes] = []
        self._size = len(prefix) + len(PAYLOAD_END)

    def has_room_for(self, event: bytes, prefix: bytes, shared: str | None, limits: PayloadLimits) -> bool:
        return (
            len(self._events) < limits.events
            and self._size + 1 + len(event) <= limits.size
            and prefix == self._prefix
            and (limits.repack or shared == self._shared)
        )

    def add(self, event: bytes, origin: Origin, key: bytes) -> None:
        self._size += len(event) + bool(self._events)
        self._events.append(event)
        self.keys.append(key)
        last = self.origins[-1] if self.origins else None
        if last is not None and last.location is origin.location and last.first + last.count == origin.first:
            self.origins[-1] = Origin(last.location, last.first, last.count + 1)
        else:
            self.origins.append(origin)

    def body(self) -> bytes:
        return body_of(self._prefix, self._events)
