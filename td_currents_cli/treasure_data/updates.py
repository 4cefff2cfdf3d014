"""What is reported about a query while it runs: the state of its job, how far its result is downloaded, and retries."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct


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


class Download(Struct, frozen=True):
    """How far the result of a query is downloaded."""

    rows: int
    total: int | None  # None if the service does not return it


class Retry(Struct, frozen=True):
    """A request failed and is sent again."""

    reason: str
    seconds: float  # until then


Update: TypeAlias = Job | Download | Retry
ProgressCallback: TypeAlias = Callable[[Update], None]
