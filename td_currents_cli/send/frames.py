"""Objects on their way from one process to another, each with a body of bytes that is sent as it is."""

import pickle
from collections.abc import Iterator
from socket import socket
from struct import Struct
from typing import Any, Final

_SIZES: Final = Struct("!QQ")


def send_frame(to: socket, thing: object, body: bytes = b"") -> None:
    """Send an object and its body; waits while the other side reads no more.

    Raises:
        OSError: nobody is there to read it.
    """
    pickled = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    head = b"".join((_SIZES.pack(len(pickled), len(body)), pickled))
    # In one call: the other side would wake up for the head alone.
    sent = to.sendmsg((head, body))
    if sent < len(head):
        to.sendall(head[sent:])
        sent = len(head)
    if sent < len(head) + len(body):
        to.sendall(memoryview(body)[sent - len(head) :])


class Frames:
    """Takes pieces of a stream of frames, however it is cut, and gives what they hold."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._missing = _SIZES.size
        self._parts: list[Any] = []

    def add(self, data: bytes | memoryview) -> Iterator[tuple[Any, bytes]]:
        """The objects that are whole with this piece, and their bodies. Nothing of the piece is kept but copies."""
        rest = memoryview(data)
        while rest:
            piece, rest = rest[: self._missing], rest[self._missing :]
            self._pieces.append(bytes(piece))
            self._missing -= len(piece)
            if self._missing == 0:
                yield from self._next(b"".join(self._pieces))

    def _next(self, part: bytes) -> Iterator[tuple[Any, bytes]]:
        """A frame has three parts: sizes, the object, and its body, if there is one."""
        self._pieces.clear()
        if not self._parts:
            self._parts = [_SIZES.unpack(part)]
            self._missing = self._parts[0][0]
            return
        if len(self._parts) == 1:
            self._parts.append(pickle.loads(part))  # noqa: S301 -- from a process of our own
            self._missing, part = self._parts[0][1], b""
        if self._missing == 0:
            _, thing = self._parts
            self._parts, self._missing = [], _SIZES.size
            yield thing, part
