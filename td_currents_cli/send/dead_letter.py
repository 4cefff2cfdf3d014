"""Dead letters: events that were refused for good, each with the reason."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from td_currents_cli.journal.keys import on_one_line
from td_currents_cli.model import Location, Problem
from td_currents_cli.send.scrub import Scrub

MAX_RESPONSE: Final = 500  # maximum characters of a response that are kept

START: Final = b'{"reason":'  # how a line begins


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that was refused, and why."""

    event: bytes
    location: Location  # of the batch it was read in
    event_index: int
    problems: Sequence[Problem]
    status: int | None = None  # of the response; None where the event was not sent
    response: bytes = b""  # may contain anything
    is_cut: bool = False  # whether the response was longer
    attempts: int = 0

    @property
    def reason(self) -> str:
        return "; ".join(f"{problem.code} {problem.message}" for problem in self.problems)

    def line(self, *, endpoint: str, at: float, scrub: Scrub) -> bytes:
        """Return this letter as a line of JSON Lines; `at` is in seconds since the epoch."""
        response = scrub(self.response.decode(errors="replace"), self.is_cut)[:MAX_RESPONSE]
        header: dict[str, Any] = {
            "reason": self.reason,
            "status": self.status,
            "response": None if self.status is None else response,
            "attempts": self.attempts,
            "source": self.location.source,
            "line": self.location.line,
            "row": self.location.row,
            "event_index": self.event_index,
            "at": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endpoint": endpoint,
            "findings": [
                {"code": problem.code, "pointer": problem.pointer, "message": problem.message}
                for problem in self.problems
            ],
        }
        # The event is inserted unchanged: decoding and encoding it could change it.
        return b"".join((_dumped(header)[:-1], b',"event":', on_one_line(self.event), b"}\n"))


def _dumped(header: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(header)
    except TypeError:
        # File names need not be UTF-8.
        header["source"] = os.fsencode(header["source"]).decode(errors="replace")
        return orjson.dumps(header)
