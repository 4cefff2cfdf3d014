"""What a run of `send` ends with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.outcome import Outcome, Problems


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOutcome(Outcome):
    """Every event that was read, in exactly one of the states delivered and undelivered.

    Attributes:
        endpoint: where to, as it may be shown.
        dry_run: nothing was sent; requests and bytes are those that would be.
        read: events read, up to where the run stopped.
        delivered: events whose request was answered 2XX. That proves receipt, not ingestion.
        undelivered: all other events.
        unknown: ids of events that may be stored although no answer says so, or stored twice: their request may have
            arrived unanswered. One id an event: the only figure here that grows with the input, and only in trouble.
        unknown_events: how many those are, with those whose id cannot be read.
        requests: all that were made.
        retries: those of them that repeated another.
        requests_by_status: by status, or `timeout`, `connection_lost`, `not_connected`, …
        bytes: of the bodies delivered.
        seconds: from the first record read to the end.
        latency_ms: `p50`, `p95` and `p99` of the answered requests; None without answers.
        warnings: what was odd about the endpoint.
        error: why the run stopped early or gave payloads up.
        input_exhausted: whether the input was read to its end.
    """

    command: ClassVar[str] = "send"

    endpoint: str
    dry_run: bool = False
    read: int = 0
    delivered: int = 0
    undelivered: int = 0
    unknown: tuple[str, ...] = ()
    unknown_events: int = 0
    requests: int = 0
    retries: int = 0
    requests_by_status: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    seconds: float = 0.0
    latency_ms: Mapping[str, float | None] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: TdcurError | None = None
    input_exhausted: bool = True

    @property
    def is_balanced(self) -> bool:
        """Whether every event read has become one thing and one thing only."""
        return self.read == self.delivered + self.undelivered

    def summary(self) -> dict[str, object]:
        """The figures, by the names scripts rely on."""
        return {
            "read": self.read,
            "delivered": self.delivered,
            "already_delivered": 0,
            "dead": 0,
            "undelivered": self.undelivered,
            "unknown": list(self.unknown),
            "requests": self.requests,
            "requests_by_status": dict(self.requests_by_status),
            "retries": self.retries,
            "splits": 0,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "latency_ms": dict(self.latency_ms),
        }

    def data(self) -> dict[str, object]:
        """What else the JSON envelope says."""
        error = {} if self.error is None else {"error": {"message": self.error.message, "hint": self.error.hint}}
        return {
            **error,
            "endpoint": self.endpoint,
            "dry_run": self.dry_run,
            "balanced": self.is_balanced,
            "input_exhausted": self.input_exhausted,
            "unknown_events": self.unknown_events,
            "warnings": list(self.warnings),
        }


def exit_code_of(error: TdcurError | None, *, is_complete: bool, problems: Problems) -> ExitCode:
    """What weighs most: why the run stopped, then events that are missing, then inputs, then bad records."""
    if error is not None:
        return error.exit_code
    return problems.exit_code if is_complete else ExitCode.INCOMPLETE
