"""What a run of `send` comes to: the books of planner and delivery in one outcome."""

from td_currents_cli.send.beside import Plan
from td_currents_cli.send.deduplicate import deduplicating_query
from td_currents_cli.send.delivery import Delivery
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.kept import Kept
from td_currents_cli.send.outcome import PERCENTILES, SendOutcome, exit_code_of


def outcome_of(plan: Plan, delivery: Delivery, endpoint: Endpoint, kept: Kept, *, seconds: float) -> SendOutcome:
    """The outcome of a run that is over."""
    tally, problems = delivery.tally, delivery.tally.problems()
    settled = tally.delivered + plan.already_delivered + tally.dead
    # A line that was stopped leaves events behind that no worker has seen; otherwise each has to be accounted for.
    undelivered = plan.read - settled if delivery.is_stopped else tally.undelivered
    is_complete = plan.read == settled and not tally.dead
    return SendOutcome(
        problems=problems,
        exit_code=exit_code_of(delivery.error, is_complete=is_complete, problems=problems),
        endpoint=endpoint.shown,
        read=plan.read,
        delivered=tally.delivered,
        already_delivered=plan.already_delivered,
        dead=tally.dead,
        undelivered=undelivered,
        unknown=tuple(tally.unknown),
        unknown_events=tally.unknown_events,
        deduplicate_sql=deduplicating_query(endpoint) if tally.unknown_events else None,
        requests=tally.requests,
        retries=tally.retries,
        splits=tally.splits,
        requests_by_status=dict(sorted(tally.by_status.items())),
        bytes=tally.bytes,
        seconds=round(seconds, 3),
        latency_ms={name: tally.latencies.milliseconds(share) for name, share in PERCENTILES.items()},
        journal=kept.where.journal,
        dead_letter=kept.where.dead_letter,
        warnings=(*endpoint.warnings, *kept.warnings),
        error=delivery.error,
        input_exhausted=plan.is_exhausted,
    )
