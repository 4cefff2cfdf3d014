"""Download of a job's result, resumed where the connection breaks."""

import time
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from td_currents_cli.durations import ExponentialBackoff
from td_currents_cli.errors import UnreachableError

PIECE: Final = 1 << 18  # bytes per read

ATTEMPTS: Final = 6  # consecutive connections that may break without a byte of progress

_GZIP: Final = zlib.MAX_WBITS | 16


class ResultStream(Protocol):
    """An open response with the bytes of a result from an offset on. `read` raises BrokenError."""

    @property
    def begin(self) -> int:
        """Offset of the first byte: 0 if the server ignores Range."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class BrokenError(Exception):
    """A connection broke before the end of the response."""


Fetch = Callable[[int], ResultStream]
"""Requests a result from an offset on. Raises BrokenError, and TdcurError where a retry is useless."""


def resumed_download(
    fetch: Fetch, *, pause: float = 1.0, sleep: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """Yield the bytes of a result, in order, each once: after a break, the rest is requested with Range.

    `pause` is in seconds, before the second attempt without progress; it doubles with each further one.

    Raises:
        UnreachableError: the connection broke repeatedly at the same byte.
    """
    backoff = ExponentialBackoff(base=pause)
    received = failures = 0
    while True:
        try:
            stream = fetch(received)
            try:
                skip = received - stream.begin
                while piece := stream.read(PIECE):
                    fresh, skip = piece[skip:], max(0, skip - len(piece))
                    if fresh:
                        received, failures = received + len(fresh), 0
                        yield fresh
            finally:
                stream.close()
        except BrokenError:
            failures += 1
            if failures >= ATTEMPTS:
                raise UnreachableError(
                    f"the download of the result broke {failures} times at byte {received:,}", hint="Try again later."
                ) from None
            sleep(backoff.pause(failures) if failures > 1 else 0)
        else:
            return


def gunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress gzip, also of several members.

    Raises:
        UnreachableError: the bytes are not gzip, or incomplete.
    """
    inflate = zlib.decompressobj(_GZIP)
    started = False
    try:
        for piece in packed:
            data = piece
            while data:
                if inflate.eof:
                    inflate, started = zlib.decompressobj(_GZIP), False
                started = True
                if plain := inflate.decompress(data):
                    yield plain
                data = inflate.unused_data
    except zlib.error:
        raise UnreachableError("the downloaded result is damaged", hint="Run the command again.") from None
    if started and not inflate.eof:
        raise UnreachableError("the downloaded result is incomplete", hint="Run the command again.")
