"""Runs `tdcur verify`: queries a table for the sent ids, with growing pauses."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, Struct

from td_currents_cli.durations import ExponentialBackoff
from td_currents_cli.errors import ExitCode
from td_currents_cli.events.decode import Decoder, EventReader
from td_currents_cli.journal.reader import delivered_events
from td_currents_cli.outcome import Problems
from td_currents_cli.read import Source, records
from td_currents_cli.verify.arrivals import Arrivals
from td_currents_cli.verify.outcome import VerifyOutcome
from td_currents_cli.verify.progress import VerifyCallback, VerifyProgress

_FIRST_PAUSE: Final = 5.0
"""Seconds before the second query; fewer if there is little time."""


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    sent: Sequence[Source]  # payloads; empty with a journal
    arrivals: Arrivals
    _: KW_ONLY
    journal: Path | None = None  # of `tdcur send`, instead of payloads
    endpoint: str | None = None  # URL of the journal's endpoint; None for the only one
    within: float = 600.0  # seconds until an event that has not arrived is missing


def run(
    request: VerifyRequest,
    *,
    on_progress: VerifyCallback = lambda _: None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> VerifyOutcome:
    """Query the table until all events are there, or time is up. Takes about 150 bytes of memory per missing id.

    Raises:
        InputError: the journal cannot be read.
        TdcurError: the table cannot be queried.
    """
    missing, without_id, problems = _sent(request)
    sent, start, asked = len(missing), now(), 0
    backoff = ExponentialBackoff(base=min(_FIRST_PAUSE, request.within / 20), longest=60.0, growth=1.5)
    for pause in backoff.pauses():
        if not missing:
            break
        for event_id in request.arrivals.ids(missing, on_progress):
            missing.pop(event_id, None)
        asked, seconds = asked + 1, now() - start
        left = request.within - seconds if missing else 0.0
        # The last query is made when time is up, not before.
        next_in = min(pause, left) if left > 0 else None
        on_progress(VerifyProgress(sent - len(missing), len(missing), seconds, next_in))
        if next_in is None:
            break
        sleep(next_in)
    return VerifyOutcome(
        table=str(request.arrivals.address),
        sent=sent,
        missing=tuple(missing),
        without_id=without_id,
        unreadable=request.arrivals.unreadable,
        asked=asked,
        seconds=now() - start,
        within=request.within,
        rows=str(request.arrivals.period),
        problems=problems,
        exit_code=max(problems.exit_code, ExitCode.FINDINGS if missing or without_id else ExitCode.OK),
    )


class _Id(Struct, gc=False):
    id: Any = UNSET


def _sent(request: VerifyRequest) -> tuple[dict[str, None], int, Problems]:
    """The different ids in order, the number of events without one, and the problems of the payloads."""
    intake, ids, without = EventReader(), dict[str, None](), 0
    for some in chain(_of_payloads(request.sent, intake), _of_journal(request)):
        usable = [each for each in some if isinstance(each, str) and each]
        ids.update(dict.fromkeys(usable))
        without += len(some) - len(usable)
    return ids, without, intake.log.result()


def _of_payloads(sources: Iterable[Source], intake: EventReader) -> Iterator[list[object]]:
    for _batch, events in intake.events(records(sources), Decoder(_Id)):
        yield [event.id for event in events]


def _of_journal(request: VerifyRequest) -> Iterator[list[object]]:
    if request.journal is not None:
        for batch in delivered_events(request.journal, endpoint=request.endpoint):
            yield [event_id for event_id, _type, _time in batch]
