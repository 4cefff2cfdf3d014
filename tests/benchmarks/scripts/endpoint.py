"""An endpoint that reads whole requests, waits, and answers 200: `endpoint.py SECONDS`. Prints its port."""

import asyncio
import selectors
import sys
from typing import cast

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Endpoint(asyncio.BufferedProtocol):
    """One connection, on which one request follows the answer to the other. Bodies are counted, not kept."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._buffer = bytearray(1 << 18)
        self._head = b""
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        if not self._left:
            self._head += self._buffer[:size]
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            lines = self._head[:end].lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            self._left = length - (len(self._head) - end - 4)
            self._head = b""
        else:
            self._left -= size
        if self._left <= 0:
            self._left = 0
            asyncio.get_running_loop().call_later(self._seconds, self._transport.write, ANSWER)


async def main(seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(seconds), "127.0.0.1", backlog=511)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


# epoll counts in milliseconds and rounds up, which would be two percent of a latency of 50 ms.
with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
    runner.run(main(float(sys.argv[1])))
