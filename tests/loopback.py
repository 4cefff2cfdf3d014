"""A server on a free loopback port in the event loop of the test, what it or a Receiver answers, and certificates."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import pytest
import trustme

from td_currents_cli.serve.app import ASGIApp, Message, Receive, Send

Serve: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Received: TypeAlias = list[tuple[str, dict[str, str], bytes]]
"""Request line, headers with names in lower case, and body of each request."""


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the machine's own proxies and certificate authorities."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Yield the port of a server; all its connections are closed afterwards."""
    tasks: set[asyncio.Task[None]] = set()

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                await serve(reader, writer)
        finally:
            writer.transport.abort()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(handled(reader, writer)))

    server = await asyncio.start_server(start, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # An aborted transport closes its socket in the next round of the loop.
        await asyncio.sleep(0.01)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    return head[0], headers, await reader.readexactly(int(headers.get("content-length", 0)))


def status(line: str, *headers: str, body: str = "{}") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", *headers, f"Content-Length: {len(body)}", "", body]).encode()


def answering(answer: bytes = status("200 OK"), received: Received | None = None) -> Serve:
    """Give every request the same answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            if received is not None:
                received.append(request)
            writer.write(answer)

    return serve


def layer_of(answer: Callable[[Message, bytes], tuple[int, bytes] | None]) -> Callable[[ASGIApp], ASGIApp]:
    """A layer for a Receiver that gives the status and text of a function, or None to leave a request to it."""

    def around(app: ASGIApp) -> ASGIApp:
        async def layer(scope: Message, receive: Receive, send: Send) -> None:
            messages = [await receive()]
            while messages[-1].get("more_body"):
                messages.append(await receive())
            answered = answer(scope, b"".join(message.get("body", b"") for message in messages))
            if answered is not None:
                await send({"type": "http.response.start", "status": answered[0], "headers": []})
                await send({"type": "http.response.body", "body": answered[1]})
                return
            read = iter(messages)

            async def again() -> Message:
                return next(read)

            await app(scope, again, send)

        return layer

    return around


def tunnelling(port: int, heads: list[str]) -> Serve:
    """A proxy that connects to that port of loopback, wherever it is asked to connect to."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
        finally:
            there_writer.transport.abort()

    return handle


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test's own, and what it has issued."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def file(self) -> str:
        """Its certificate."""
        path = str(self.folder / "ca.pem")
        self.ca.cert_pem.write_to_path(path)
        return path

    def issued(self, name: str, identity: str = "client@example.com") -> str:
        """Certificate and key, in one file."""
        path = str(self.folder / name)
        self.ca.issue_cert(identity).private_key_and_cert_chain_pem.write_to_path(path)
        return path

    def server(self, identity: str = "localhost", *, not_after: datetime | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(identity, not_after=not_after).configure_cert(context)
        return context
