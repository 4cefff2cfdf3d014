"""The body of a request, read within a limit or not at all."""

from collections.abc import Mapping

from starlette.types import Receive

from td_currents_cli.receiver.refusal import HttpError


class SenderDisconnected(Exception):  # noqa: N818 -- something that happens to a request, not an error of this program
    """The sender closed the connection before its request was whole."""


class Body:
    """A body on its way in.

    Attributes:
        size: bytes received so far.
        ended: whether all of it has been received.
    """

    __slots__ = ("_headers", "_receive", "ended", "size")

    def __init__(self, headers: Mapping[bytes, bytes], receive: Receive) -> None:
        self._headers = headers
        self._receive = receive
        self.size = 0
        self.ended = False

    async def read(self, limit: int) -> bytes:
        """All of it.

        Raises:
            Refusal: 413, it is, or says it is, larger than `limit` bytes.
            SenderGone: it ended before it was whole.
        """
        if int(self._headers.get(b"content-length", b"0")) > limit:
            raise _too_large(limit)
        chunks: list[bytes] = []
        while not self.ended:
            chunks.append(await self._next())
            if self.size > limit:
                raise _too_large(limit)
        return b"".join(chunks)

    async def skip(self) -> None:
        """Receive the rest and keep nothing of it. Raises SenderGone.

        A server that answers and closes while the sender still writes makes it see a reset instead of the answer.
        """
        while not self.ended:
            await self._next()

    @property
    def held_back(self) -> bool:
        """Whether the sender waits for a 100 before it sends the body, as curl does with more than 1 MB."""
        return not self.size and self._headers.get(b"expect", b"").lower() == b"100-continue"

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise SenderDisconnected
        chunk: bytes = message.get("body", b"")
        self.size += len(chunk)
        self.ended = not message.get("more_body", False)
        return chunk


def _too_large(limit: int) -> HttpError:
    return HttpError(413, f"the body is larger than {limit:,} bytes")
