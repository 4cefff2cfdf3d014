"""Progress of a verification."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from td_currents_cli.treasure_data.client import Job


class VerifyProgress(Struct, frozen=True):
    """What is known after a query: numbers of different ids, and times in seconds."""

    arrived: int
    missing: int
    seconds: float  # since the first query
    pause: float | None  # until the next query; None if none follows


VerifyCallback: TypeAlias = Callable[[VerifyProgress | Job], None]
