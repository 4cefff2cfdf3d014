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
        self._held = 0
        self._wanted = _SIZES.size

    def add(self, piece: bytes) -> Iterator[tuple[Any, bytes]]:
        """The objects that are whole with this piece, and their bodies."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held < self._wanted:
            return
        data = b"".join(self._pieces)
        begin = 0
        while len(data) - begin >= _SIZES.size:
            head, body = _SIZES.unpack_from(data, begin)
            middle = begin + _SIZES.size + head
            self._wanted = _SIZES.size + head + body
            if middle + body > len(data):
                break
            thing = pickle.loads(memoryview(data)[begin + _SIZES.size : middle])  # noqa: S301 -- from a process of our own
            yield thing, data[middle : middle + body]
            begin = middle + body
            self._wanted = _SIZES.size
        self._pieces = [data[begin:]]
        self._held = len(data) - begin
