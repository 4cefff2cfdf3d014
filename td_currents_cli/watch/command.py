"""Runs `tdcur watch`."""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from td_currents_cli.braze import CANARY
from td_currents_cli.errors import ExitCode, UnreachableError
from td_currents_cli.events.filter import Filter
from td_currents_cli.read import sources
from td_currents_cli.send import Destination, SendRequest, StateOptions
from td_currents_cli.send import run as send
from td_currents_cli.send.messages import SendInterruptedError, SendTerminatedError
from td_currents_cli.treasure_data.address import Period, TableAddress, table_layout
from td_currents_cli.treasure_data.sql.events import table_events
from td_currents_cli.treasure_data.sql.received import HOUR_NUMBER, is_between, received_sql
from td_currents_cli.treasure_data.tables import TdConnection
from td_currents_cli.verify import Arrivals, VerifyRequest
from td_currents_cli.verify import run as verify
from td_currents_cli.watch.rates import HOUR, WEEK, ReceivedRow, load_rates, rates_of, save_rates
from td_currents_cli.watch.result import CanaryResult, Round, TypeRate, WatchOutcome
from td_currents_cli.write.formats import json_line

if TYPE_CHECKING:
    from td_currents_cli.treasure_data.client import TdClient

SETTLED: Final = 300
"""Seconds after which a row has appeared; Treasure Data: about five minutes."""

MOST_SCANNED: Final = 2 * HOUR
_EARLY: Final = 600.0  # by which the clocks of this machine and the service may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Where an event is sent in each round."""

    destination: Destination
    within: float  # seconds until it must be a row


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest:
    table: TableAddress
    connection: TdConnection
    wanted: Filter  # by type
    state_folder: Path  # the usual numbers of events are kept in it
    every: float = 300.0  # seconds between rounds
    silent_after: float = 1800.0  # seconds
    once: bool = False
    canary: Canary | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def scanned(self) -> int:
        """Seconds before a round in which rows are looked for."""
        return int(min(MOST_SCANNED, max(HOUR + SETTLED, self.silent_after)))

    @property
    def rates_file(self) -> Path:
        table = self.table
        watched = repr((table.site, table.database, table.table, table.column, self.wanted.types)).encode()
        name = f"{table.database}-{table.table}"[:200]
        return self.state_folder / "watch" / f"{name}-{blake2b(watched, digest_size=4).hexdigest()}.json"


def ignore_round(before: Round | None, now: Round) -> None:
    """Report nothing after a round."""


def run(
    request: WatchRequest,
    *,
    on_round: Callable[[Round | None, Round], None] = ignore_round,
    notice: Callable[[str], None] = lambda _: None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> WatchOutcome:
    """Look at a table once, or until it is interrupted.

    `on_round` is called after each round, with the one before; `notice` with what is billed, and with failures of the
    service that another round may not meet.

    Raises:
        OutputError: the state cannot be kept; raised before the first query.
        TdcurError: the table cannot be queried. A service that cannot be reached ends only a single round.
    """
    watch = _Watch(request, notice, now, sleep)
    before: Round | None = None
    while True:
        begun = now()
        try:
            found = watch.round()
        except UnreachableError as error:
            if request.once:
                raise
            notice(f"{error.message}; next round in {request.every:,.0f} s")
        else:
            on_round(before, found)
            if request.once:
                return WatchOutcome(
                    table=str(request.table),
                    round=found,
                    usual_from=watch.rates.read_at,
                    exit_code=ExitCode.FINDINGS if found.is_silent else ExitCode.OK,
                )
            before = found
        sleep(max(0.0, request.every - (now() - begun)))


class _Watch:
    """Keeps what is known between rounds."""

    def __init__(
        self,
        request: WatchRequest,
        notice: Callable[[str], None],
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._request = request
        self._notice, self._now, self._sleep = notice, now, sleep
        self._send_notice = notice  # where the canary is sent is reported once
        self._client: TdClient = request.connection.client(request.table)
        self.rates = load_rates(request.rates_file)
        save_rates(request.rates_file, self.rates)  # fails before a query is billed

    def round(self) -> Round:
        request = self._request
        canary = None if request.canary is None else self._canary(request.canary)
        now = self._now()
        if self.rates.is_due(now):
            self._notice("reading the usual numbers of events from the rows of the last 7 days, once a day")
            known = self.rates.last_row
            self.rates = rates_of(self._received(now, WEEK, HOUR_NUMBER), now).seen(known, now + _EARLY)
        begin = int(now) - HOUR - SETTLED
        rows = self._received(now, request.scanned, is_between(begin, begin + HOUR))
        last_row = max((received for *_, received in rows), default=None)
        self.rates = self.rates.seen(last_row, now + _EARLY)
        save_rates(request.rates_file, self.rates)
        return Round(
            at=now,
            last_row=self.rates.last_row,
            types=tuple(self._types(rows, begin)),
            silent_after=request.silent_after,
            scanned=request.scanned,
            canary=canary,
            of_all_types=not request.wanted.types,
        )

    def _received(self, now: float, seconds: float, group: str) -> list[ReceivedRow]:
        """Query the rows that were received in the last seconds."""
        address = self._request.table
        columns = self._client.columns(address.database, address.table)
        if not columns:  # no row has come yet
            return []
        events = table_events(address, table_layout(address, columns), Period(int(now - seconds)), columns)
        query = received_sql(events, self._request.wanted, group, int(now + _EARLY))
        rows = self._client.rows(self._client.query(query, address.database))
        # A lone surrogate could not be kept in a file.
        return [(name and name.encode(errors="backslashreplace").decode(), *figures) for name, *figures in rows]

    def _types(self, rows: list[ReceivedRow], begin: float) -> list[TypeRate]:
        counts = dict.fromkeys(self.rates.by_type, 0)
        for event_type, is_recent, events, _received in rows:
            counts[event_type or ""] = counts.get(event_type or "", 0) + is_recent * events
        found = [TypeRate(name or None, events, self.rates.usual(name, begin)) for name, events in counts.items()]
        found = [each for each in found if each.events or each.usual]
        return sorted(found, key=lambda each: (-(each.usual or each.events), each.event_type or ""))

    def _canary(self, canary: Canary) -> CanaryResult:
        """Send an event, and wait until it is a row, with the commands that do the same for all events."""
        request, now = self._request, self._now()
        with tempfile.TemporaryDirectory(prefix="tdcur-canary-") as folder:
            file = Path(folder) / "canary.json"
            file.write_bytes(json_line({"events": [canary_event(now)]}))
            state = StateOptions(no_journal=True, dead_letter=Path(folder) / "dead-letter.jsonl")
            sending = SendRequest(
                paths=(str(file),), destination=canary.destination, state=state, retry_for=canary.within
            )
            sent = send(sending, environ=request.environ, notice=self._send_notice)
            self._send_notice = _say_nothing
            if isinstance(sent.error, SendInterruptedError | SendTerminatedError):
                raise sent.error
            if not sent.delivered:
                return CanaryResult(None, sent.error.message if sent.error else "the endpoint refused it")
            arrivals = Arrivals(request.table, Period(max(0.0, now - _EARLY)), request.connection)
            waiting = VerifyRequest(sources([str(file)]), arrivals, within=canary.within)
            verified = verify(waiting, now=self._now, sleep=self._sleep)
        if verified.missing:
            return CanaryResult(None, f"not a row {canary.within:,.0f} s after HTTP 200; {_WRONG_KEY}")
        return CanaryResult(verified.seconds)


def _say_nothing(_notice: str) -> None:
    pass


def canary_event(now: float) -> dict[str, object]:
    return {"event_type": CANARY, "id": str(uuid4()), "time": int(now), "user": {}, "properties": {}}


_WRONG_KEY: Final = "Treasure Data also returns 200 for a wrong write key"
