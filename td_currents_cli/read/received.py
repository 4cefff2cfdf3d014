"""Which rows are read, by the time at which Treasure Data received them."""

from typing import Final

from msgspec import Struct


class ReceiveTimes(Struct, frozen=True):
    """A range of receive times, which are in the column `time` of rows, in UNIX seconds."""

    since: float | None = None  # inclusive
    until: float | None = None  # exclusive

    def __bool__(self) -> bool:
        return self.since is not None or self.until is not None


ALL_TIMES: Final = ReceiveTimes()
