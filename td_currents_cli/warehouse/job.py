"""A query as Treasure Data runs it: a job that is issued, waits, runs, and ends in one of three ways."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct

from td_currents_cli.backoff import ExponentialBackoff


class JobState(StrEnum):
    """What a job can be found as. The documentation of td-client has these; another one counts as still at work."""

    queued = "queued"
    booting = "booting"
    running = "running"
    success = "success"
    error = "error"
    killed = "killed"


ENDED: Final = frozenset({JobState.success, JobState.error, JobState.killed})


class Job(Struct, frozen=True):
    """A job at some moment.

    Attributes:
        id: its number.
        state: see `JobState`; any text, for the service may have more of them.
        seconds: since it was issued.
    """

    id: str
    state: str
    seconds: float


class JobResult(Struct, frozen=True):
    """What a job that succeeded has to give.

    Attributes:
        job: its number.
        columns: name and type of each column of the result.
        count: rows; None where the service does not say.
    """

    job: str
    columns: tuple[tuple[str, str], ...]
    count: int | None


ProgressCallback: TypeAlias = Callable[[Job], None]
"""Is told how a job stands, each time that is asked."""

POLLING: Final = ExponentialBackoff(base=0.2, longest=15.0, growth=1.5)
"""Pauses between questions about a job: short ones first, because most queries are short."""
