"""Jobs: Treasure Data runs a query as a job, which is queued, runs, and succeeds, fails, or is killed."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct

from td_currents_cli.durations import ExponentialBackoff


class JobState(StrEnum):
    """States that td-client documents. An unknown state counts as unfinished."""

    queued = "queued"
    booting = "booting"
    running = "running"
    success = "success"
    error = "error"
    killed = "killed"


ENDED: Final = frozenset({JobState.success, JobState.error, JobState.killed})


class Job(Struct, frozen=True):
    id: str
    state: str  # a `JobState`, or one that the service has added
    seconds: float  # since it was issued


class JobResult(Struct, frozen=True):
    job: str
    columns: tuple[tuple[str, str], ...]  # name and type of each
    count: int | None  # rows, if the service returns the number


ProgressCallback: TypeAlias = Callable[[Job], None]

POLLING: Final = ExponentialBackoff(base=0.2, longest=15.0, growth=1.5)  # short at first, because most queries are
