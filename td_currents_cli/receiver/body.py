"""The body of a request, read up to a limit."""

from collections.abc import Mapping

from starlette.types import Receive

from td_currents_cli.receiver.refusal import HttpError


class SenderDisconnected(Exception):  # noqa: N818 -- happens to a request, not an error of this program
    """The sender closed the connection before its request was complete."""


class Body:
    """A body that is being received: `size` bytes so far, all of them if `ended`."""

    __slots__ = ("_headers", "_receive", "ended", "size")

    def __init__(self, headers: Mapping[bytes, bytes], receive: Receive) -> None:
        self._headers = headers
        self._receive = receive
        self.size = 0
        self.ended = False

    async def read(self, limit: int) -> bytes:
        """Read the whole body.

        Raises:
            HttpError: 413, the body, or its declared length, is larger than `limit` bytes.
            SenderDisconnected: the body is incomplete.
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
        """Discard the rest. Raises SenderDisconnected.

        If the server responds and closes while the sender still writes, the sender sees a reset, not the response.
        """
        while not self.ended:
            await self._next()

    @property
    def awaits_continue(self) -> bool:
        """Whether the sender waits for a 100 before it sends the body, as curl does above 1 MB."""
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
