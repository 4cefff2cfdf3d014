"""The result of a job as one stream of bytes and rows, however often the connection breaks."""

import time
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from td_currents_cli.backoff import ExponentialBackoff
from td_currents_cli.errors import UnreachableError

PIECE: Final = 1 << 18
"""Bytes that are asked of a connection at once."""

ATTEMPTS: Final = 6
"""Connections in a row that may break without a single byte of progress."""

_GZIP: Final = zlib.MAX_WBITS | 16


class ResultStream(Protocol):
    """An open answer with the bytes of a result from some place on. Reading raises BrokenError."""

    @property
    def begin(self) -> int:
        """The offset of its first byte: 0 where the server does not honour Range."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; empty at the end."""

    def close(self) -> None:
        """Let go of the connection."""


class BrokenError(Exception):
    """A connection broke before the end of what was asked for."""


Fetch = Callable[[int], ResultStream]
"""Asks for a result from an offset on. Raises BrokenError, and TdcurError for what trying again does not mend."""


def resumed_download(
    fetch: Fetch, *, pause: float = 1.0, sleep: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """All bytes of a result, in order, each once: what is left is asked for with Range where a connection breaks.

    Args:
        fetch: see there.
        pause: seconds before the second attempt that makes no progress; it grows with each further one.
        sleep: waits so many seconds.

    Raises:
        UnreachableError: it broke again and again at the same place.
    """
    backoff = ExponentialBackoff(base=pause)
    have = barren = 0
    while True:
        try:
            part = fetch(have)
            try:
                skip = have - part.begin
                while piece := part.read(PIECE):
                    fresh, skip = piece[skip:], max(0, skip - len(piece))
                    if fresh:
                        have, barren = have + len(fresh), 0
                        yield fresh
            finally:
                part.close()
        except BrokenError:
            barren += 1
            if barren >= ATTEMPTS:
                raise UnreachableError(
                    f"the download of the result broke {barren} times at byte {have:,}", hint="Try again later."
                ) from None
            sleep(backoff.pause(barren) if barren > 1 else 0)
        else:
            return


def gunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip has packed; several of its members may follow each other.

    Raises:
        UnreachableError: the bytes are not gzip, or end before their time.
    """
    inflate = zlib.decompressobj(_GZIP)
    begun = False
    try:
        for piece in packed:
            data = piece
            while data:
                if inflate.eof:
                    inflate, begun = zlib.decompressobj(_GZIP), False
                begun = True
                if plain := inflate.decompress(data):
                    yield plain
                data = inflate.unused_data
    except zlib.error:
        raise UnreachableError("the result that was downloaded is damaged", hint="Run the command again.") from None
    if begun and not inflate.eof:
        raise UnreachableError("the result that was downloaded is not whole", hint="Run the command again.")
