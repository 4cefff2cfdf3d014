"""Queries a table for the events that were sent, until all are stored or time is up."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

from msgspec import UNSET, Struct

from td_currents_cli.choices import Layout
from td_currents_cli.durations import ExponentialBackoff
from td_currents_cli.errors import ExitCode, InputError
from td_currents_cli.events.decode import Decoder, EventReader
from td_currents_cli.events.identified import is_external_id
from td_currents_cli.journal.reader import delivered_events
from td_currents_cli.outcome import Outcome, Problems
from td_currents_cli.read import Source, records
from td_currents_cli.treasure_data.address import Period, TableAddress, table_layout
from td_currents_cli.treasure_data.errors import NoTableError
from td_currents_cli.treasure_data.sql.events import table_events
from td_currents_cli.treasure_data.sql.queries import stored_ids_sql
from td_currents_cli.treasure_data.tables import TdConnection
from td_currents_cli.treasure_data.updates import ProgressCallback, Update

_ID: Final = "id"


class Arrivals:
    """The ids of the events in a table, in rows with a receive time in a period."""

    def __init__(self, address: TableAddress, period: Period, access: TdConnection) -> None:
        self.address = address
        self.period = period
        self.unreadable = 0  # rows, and events in them, that could not be read in the last query
        self._warehouse = access.client(address)

    def ids(self, wanted: Collection[str], on_progress: ProgressCallback) -> Iterator[str]:
        """The ids that the table contains now, possibly repeated: all wanted ones, and maybe others.

        None if the table does not exist, or has no row, yet.

        Raises:
            InputError: the table has no ids.
            TdcurError: the table cannot be queried; see `TdClient.query`.
        """
        self.unreadable = 0
        warehouse, database = self._warehouse, self.address.database
        warehouse.on_progress = on_progress
        try:
            columns = warehouse.columns(database, self.address.table)
        except NoTableError:
            # Treasure Data creates a table with its first row.
            return
        if not columns:
            # And its columns: somebody has created it.
            return
        layout = table_layout(self.address, columns)
        if layout is Layout.FLAT and _ID not in columns:
            raise InputError(
                f"{self.address} has no column `{_ID}`, so its events cannot be identified",
                hint="Name the table that the events were sent to.",
            )
        events = table_events(self.address, layout, self.period, columns)
        for event_id, kind in warehouse.rows(warehouse.query(stored_ids_sql(events, wanted), database)):
            self.unreadable += kind is not None
            if event_id is not None:
                yield event_id


class VerifyOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "verify"

    table: str
    sent: int  # different ids
    missing: tuple[str, ...]  # ids, in the order sent
    without_id: int  # events that could not be looked for
    unreadable: int = 0  # rows of the table, and events in them, that could not be read
    asked: int  # number of queries
    seconds: float  # from the first query to the last result
    within: float  # seconds allowed for it
    rows: str  # receive times of the rows that were searched

    @property
    def arrived(self) -> int:
        """Different ids that are in the table."""
        return self.sent - len(self.missing)

    @property
    def advice(self) -> str:
        if not self.missing:
            return ""
        if self.unreadable:
            return (
                "Whether the missing events arrived cannot be told, because rows of the table could not be read: "
                f"`tdcur parse {self.table} -o FILE` tells why. Do not send them again before."
            )
        if not self.arrived:
            return (
                "No event arrived. Most likely the write key is wrong, for which Treasure Data returns HTTP 200 too, "
                "or the events were sent to a table of another name, or before the period of --received-since."
            )
        return (
            "Rows appear within about five minutes: wait longer with --within, "
            "or search older rows with --received-since. Send the events again that remain missing."
        )

    def summary(self) -> dict[str, object]:
        return {
            "sent": self.sent,
            "arrived": self.arrived,
            "missing": len(self.missing),
            "without_id": self.without_id,
            "unreadable": self.unreadable,
            "asked": self.asked,
            "seconds": round(self.seconds, 1),
            "within": self.within,
        }

    def data(self) -> dict[str, object]:
        return {"table": self.table, "rows": self.rows, "missing_ids": list(self.missing), "advice": self.advice}


class VerifyProgress(Struct, frozen=True):
    """What is known after a query: numbers of different ids, and times in seconds."""

    arrived: int
    missing: int
    seconds: float  # since the first query
    pause: float | None  # until the next query; None if none follows


VerifyCallback: TypeAlias = Callable[[VerifyProgress | Update], None]


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    sent: Sequence[Source]  # payloads; empty with a journal
    arrivals: Arrivals
    _: KW_ONLY
    journal: Path | None = None  # of `tdcur send`, instead of payloads
    endpoint: str | None = None  # URL of the journal's endpoint; None for the only one
    within: float = 600.0  # seconds until an event that has not arrived is missing
    identified_only: bool = False  # events of users without an external id were not sent


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
    # The second query follows after five seconds, or sooner if there is little time.
    backoff = ExponentialBackoff(base=min(5.0, request.within / 20), longest=60.0, growth=1.5)
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


class _IdAndUser(Struct, gc=False):
    id: Any = UNSET
    user: Any = None

    @property
    def is_identified(self) -> bool:
        return isinstance(self.user, dict) and is_external_id(self.user.get("external_user_id"))


def _sent(request: VerifyRequest) -> tuple[dict[str, None], int, Problems]:
    """The different ids in order, the number of events without one, and the problems of the payloads."""
    intake, ids, without = EventReader(), dict[str, None](), 0
    payloads: Iterable[list[Any]]
    if request.identified_only:
        identified = intake.events(records(request.sent), Decoder(_IdAndUser))
        payloads = ([event.id for event in events if event.is_identified] for _batch, events in identified)
    else:
        batches = intake.events(records(request.sent), Decoder(_Id))
        payloads = ([event.id for event in events] for _batch, events in batches)
    delivered = delivered_events(request.journal, endpoint=request.endpoint) if request.journal else ()
    for some in chain(payloads, ([event_id for event_id, *_ in batch] for batch in delivered)):
        usable = [each for each in some if isinstance(each, str) and each]
        ids.update(dict.fromkeys(usable))
        without += len(some) - len(usable)
    return ids, without, intake.log.result()


class SendVerifyOutcome(Outcome, frozen=True, kw_only=True):
    """The outcome of sending, and of verifying, which follows if everything was delivered."""

    command: ClassVar[str] = "send"

    sent: Outcome
    verified: VerifyOutcome

    @classmethod
    def of(cls, sent: Outcome, verified: VerifyOutcome) -> "SendVerifyOutcome":
        """Combine both, with the exit code of verifying: sending has succeeded."""
        return cls(sent=sent, verified=verified, problems=sent.problems, exit_code=verified.exit_code)

    def summary(self) -> dict[str, object]:
        return {**self.sent.summary(), "verified": self.verified.summary()}

    def data(self) -> dict[str, object]:
        return {**self.sent.data(), "verification": self.verified.data()}
