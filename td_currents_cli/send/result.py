"""What a run of `send` ends with."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import urlsplit

from msgspec import field

from td_currents_cli.braze import POSTBACK_PATH
from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UsageError
from td_currents_cli.outcome import Outcome, Problems
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.endpoint import Endpoint, EndpointKind
from td_currents_cli.send.sender import Sender
from td_currents_cli.send.state import RunState
from td_currents_cli.send.stats import SendStats

_PERCENTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


class SendOutcome(Outcome, frozen=True, kw_only=True):
    """Every event that was read, in exactly one state: delivered, already delivered, dead, undelivered, or left out."""

    command: ClassVar[str] = "send"

    endpoint: str
    dry_run: bool = False
    read: int = 0  # up to where the run stopped
    delivered: int = 0  # got a 2xx response, which means that it was received, not that it was stored
    already_delivered: int = 0  # by earlier runs, and not sent again
    dead: int = 0  # refused by the rules or by the endpoint
    undelivered: int = 0
    rows_rejected: int = 0  # documents and rows in which no event could be read
    left_out: int = 0  # of users without an external id, with --identified-only
    anonymous: int = 0  # of such users, in Braze's export without --identified-only
    # Ids of events that may be stored although no response says so, or stored twice, since their request may have
    # arrived. One id per event: the only figure that grows with the input, and only in case of trouble.
    unknown: tuple[str, ...] = ()
    unknown_events: int = 0  # including those whose id cannot be read
    deduplicate_sql: str | None = None
    requests: int = 0
    retries: int = 0
    splits: int = 0
    # By HTTP status, or `timeout`, `connection_lost`, `not_connected`, …
    requests_by_status: Mapping[str, int] = {}
    bytes: int = 0  # of the delivered bodies; in a dry run, of those that would be sent
    seconds: float = 0.0
    latency_ms: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(_PERCENTILES))
    journal: Path | None = None
    dead_letter: Path | None = None
    first_request: str | None = None  # in a dry run, as a shell command, without the key
    warnings: tuple[str, ...] = ()
    error: TdcurError | None = None  # why the run stopped early or gave up payloads
    input_exhausted: bool = True

    @property
    def is_balanced(self) -> bool:
        return self.read == self.delivered + self.already_delivered + self.dead + self.undelivered + self.left_out

    @property
    def resume(self) -> str:
        """How to continue, where a repetition delivers more."""
        is_complete = self.input_exhausted and not self.undelivered
        if self.dry_run or is_complete:
            return ""
        is_refused = isinstance(self.error, EndpointRefusedError | UsageError)
        if is_refused and not self.delivered and not self.already_delivered:
            return ""
        if self.journal is None:
            return "There is no journal: the same command sends everything again, including what was delivered."
        if is_refused:
            return f"Fix that and run the command again; delivered events are skipped (journal: {self.journal})."
        return f"Run the same command again to resume; delivered events are skipped (journal: {self.journal})."

    def summary(self) -> dict[str, object]:
        return {
            "read": self.read,
            "delivered": self.delivered,
            "already_delivered": self.already_delivered,
            "dead": self.dead,
            "undelivered": self.undelivered,
            "unreadable": self.problems.unreadable,
            "rows_rejected": self.rows_rejected,
            "left_out": self.left_out,
            "anonymous": self.anonymous,
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
        error = {} if self.error is None else {"error": {"message": self.error.message, "hint": self.error.hint}}
        return {
            **error,
            "endpoint": self.endpoint,
            "dry_run": self.dry_run,
            "balanced": self.is_balanced,
            "input_exhausted": self.input_exhausted,
            "unknown_events": self.unknown_events,
            "journal": _path_text(self.journal),
            "dead_letter": _path_text(self.dead_letter if self.dead else None),
            "resume": self.resume,
            "first_request": self.first_request,
            "warnings": list(self.warnings),
        }


def _path_text(path: Path | None) -> str | None:
    # A file name that is not UTF-8 could not be written as JSON.
    return None if path is None else os.fsencode(path).decode(errors="replace")


def outcome_of(
    planner: Planner,
    stats: SendStats,
    endpoint: Endpoint,
    state: RunState,
    *,
    sender: Sender | None = None,
    seconds: float = 0.0,
    first_request: str | None = None,
) -> SendOutcome:
    """Return the outcome of a run; of a dry run without a sender."""
    problems, error = stats.problems(), None if sender is None else sender.error
    settled = stats.delivered + planner.already_delivered + stats.dead + planner.left_out
    is_complete = not stats.dead and (sender is None or planner.read == settled)
    return SendOutcome(
        problems=problems,
        exit_code=exit_code_of(error, is_complete=is_complete, problems=problems),
        endpoint=endpoint.shown,
        dry_run=sender is None,
        read=planner.read,
        rows_rejected=planner.rows_rejected,
        delivered=stats.delivered,
        already_delivered=planner.already_delivered,
        left_out=planner.left_out,
        anonymous=planner.anonymous,
        dead=stats.dead,
        # A sender that stopped leaves events that no worker has seen; otherwise each has to be accounted for.
        undelivered=planner.read - settled if sender is None or sender.stopped.is_set() else stats.undelivered,
        unknown=tuple(stats.unknown),
        unknown_events=stats.unknown_events,
        deduplicate_sql=_deduplicating_query(endpoint) if stats.unknown_events else None,
        requests=stats.requests,
        retries=stats.retries,
        splits=stats.splits,
        requests_by_status=dict(sorted(stats.by_status.items())),
        bytes=stats.bytes,
        seconds=round(seconds, 3),
        latency_ms={name: stats.latencies.milliseconds(share) for name, share in _PERCENTILES.items()},
        journal=state.journal_path,
        dead_letter=state.letters.path,
        first_request=first_request,
        warnings=(*endpoint.warnings, *state.warnings, *(sender.warnings if sender else ())),
        error=error,
        input_exhausted=planner.is_exhausted,
    )


def exit_code_of(error: TdcurError | None, *, is_complete: bool, problems: Problems) -> ExitCode:
    # What stopped the run comes first, then missing events, then inputs, then bad records.
    if error is not None:
        return error.exit_code
    return problems.exit_code if is_complete else ExitCode.INCOMPLETE


# Treasure Data's Postback API has no idempotency key: duplicates are left out by the event's `id`, as Braze intends.
# For Trino. One row per request, with an array of events as a string; an event without an id is compared as a whole.
_NESTED: Final = """\
SELECT arbitrary(event) AS event
FROM {table}
CROSS JOIN UNNEST(CAST(json_parse(events) AS ARRAY(JSON))) AS exploded (event)
GROUP BY coalesce(json_extract_scalar(event, '$.id'), json_format(event))"""

# One row per event.
_FLAT: Final = """\
SELECT * FROM (
  SELECT *, row_number() OVER (PARTITION BY id ORDER BY time) AS copy FROM {table}
) WHERE copy = 1 OR id IS NULL"""


def _deduplicating_query(endpoint: Endpoint) -> str:
    _, found, names = urlsplit(endpoint.shown).path.partition(POSTBACK_PATH)
    table = names.rstrip("/").replace("/", ".") if found else "YOUR_DATABASE.YOUR_TABLE"
    return (_FLAT if endpoint.kind is EndpointKind.STREAMING else _NESTED).format(table=table)
