"""What a run of `send` ends with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.outcome import Outcome, Problems

PERCENTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOutcome(Outcome):
    """Every event that was read, in exactly one state: delivered, already delivered, dead, undelivered.

    Attributes:
        endpoint: where to, as it may be shown.
        dry_run: nothing was sent; requests and bytes are those that would be.
        read: events read, up to where the run stopped.
        delivered: events whose request was answered 2XX. That proves receipt, not ingestion.
        already_delivered: events that earlier runs delivered, which were not sent again.
        dead: events that are dead letters: refused by the rules or by the endpoint.
        undelivered: all other events.
        unknown: ids of events that may be stored although no answer says so, or stored twice: their request may have
            arrived unanswered. One id an event: the only figure here that grows with the input, and only in trouble.
        unknown_events: how many those are, with those whose id cannot be read.
        deduplicate_sql: the query that leaves out what is stored twice, where something may be.
        requests: all that were made.
        retries: those of them that repeated another.
        splits: requests that were refused and sent again in parts.
        requests_by_status: by status, or `timeout`, `connection_lost`, `not_connected`, …
        bytes: of the bodies delivered.
        seconds: from the first record read to the end.
        latency_ms: `p50`, `p95` and `p99` of the answered requests; None without answers.
        journal: file that knows what was delivered; None for none.
        dead_letter: file that dead letters go to.
        first_request: of a dry run: the first request as a command for a shell, without the key.
        warnings: what was odd about the endpoint or the journal.
        error: why the run stopped early or gave payloads up.
        input_exhausted: whether the input was read to its end.
    """

    command: ClassVar[str] = "send"

    endpoint: str
    dry_run: bool = False
    read: int = 0
    delivered: int = 0
    already_delivered: int = 0
    dead: int = 0
    undelivered: int = 0
    unknown: tuple[str, ...] = ()
    unknown_events: int = 0
    deduplicate_sql: str | None = None
    requests: int = 0
    retries: int = 0
    splits: int = 0
    requests_by_status: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    seconds: float = 0.0
    latency_ms: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(PERCENTILES))
    journal: Path | None = None
    dead_letter: Path | None = None
    first_request: str | None = None
    warnings: tuple[str, ...] = ()
    error: TdcurError | None = None
    input_exhausted: bool = True

    @property
    def is_balanced(self) -> bool:
        """Whether every event read has become one thing and one thing only."""
        return self.read == self.delivered + self.already_delivered + self.dead + self.undelivered

    @property
    def resume(self) -> str:
        """How to go on, where not everything is delivered."""
        is_complete = self.input_exhausted and not self.undelivered and not self.dead
        if self.dry_run or is_complete:
            return ""
        if self.journal is None:
            return "There is no journal: the same command sends everything again, also what was delivered."
        return f"The same command resumes: it sends only what is missing, by the journal {self.journal}."

    def summary(self) -> dict[str, object]:
        """The figures, by the names scripts rely on."""
        return {
            "read": self.read,
            "delivered": self.delivered,
            "already_delivered": self.already_delivered,
            "dead": self.dead,
            "undelivered": self.undelivered,
            "unknown": list(self.unknown),
            "deduplicate_sql": self.deduplicate_sql,
            "requests": self.requests,
            "requests_by_status": dict(self.requests_by_status),
            "retries": self.retries,
            "splits": self.splits,
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
            "journal": _text(self.journal),
            "dead_letter": _text(self.dead_letter if self.dead else None),
            "resume": self.resume,
            "first_request": self.first_request,
            "warnings": list(self.warnings),
        }


def _text(path: Path | None) -> str | None:
    # A name that is no text could not be written as JSON.
    return None if path is None else os.fsencode(path).decode(errors="replace")


def exit_code_of(error: TdcurError | None, *, is_complete: bool, problems: Problems) -> ExitCode:
    """What weighs most: why the run stopped, then events that are missing, then inputs, then bad records."""
    if error is not None:
        return error.exit_code
    return problems.exit_code if is_complete else ExitCode.INCOMPLETE
