"""How far a verification is."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from td_currents_cli.warehouse.job import Job


class Progress(Struct, frozen=True):
    """What is known after the table was asked.

    Attributes:
        arrived: different ids that are there.
        missing: those that are not there yet.
        seconds: since the first question.
        pause: seconds until the next one; None where none follows.
    """

    arrived: int
    missing: int
    seconds: float
    pause: float | None


Told: TypeAlias = Callable[[Progress | Job], None]
