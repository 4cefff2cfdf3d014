"""Dead letters: events that are not delivered and would not be by trying again, each with the reason."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from td_currents_cli.model import Location, Problem
from td_currents_cli.send.digest import on_one_line
from td_currents_cli.send.scrub import Scrub

RESPONSE: Final = 500
"""Characters of an endpoint's answer that are kept."""

START: Final = b'{"reason":'
"""How a line begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that was given up, and why.

    Attributes:
        event: its bytes.
        location: of the batch it was read in.
        event_index: its place there, from 0.
        problems: what is wrong with it.
        status: what the endpoint answered; None where it was not asked.
        response: how that answer went on; may hold anything.
        is_cut: whether there was more of it.
        attempts: requests that were made with this event.
    """

    event: bytes
    location: Location
    event_index: int
    problems: Sequence[Problem]
    status: int | None = None
    response: bytes = b""
    is_cut: bool = False
    attempts: int = 0

    @property
    def reason(self) -> str:
        """In one line."""
        return "; ".join(f"{problem.code} {problem.message}" for problem in self.problems)

    def line(self, *, endpoint: str, at: float, scrub: Scrub) -> bytes:
        """This letter as a line of JSON Lines.

        Args:
            endpoint: as it may be shown.
            at: seconds since the epoch.
            scrub: leaves secrets out of the answer.
        """
        response = scrub(self.response.decode(errors="replace"), self.is_cut)[:RESPONSE]
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
        # The event is spliced in as it stands: to decode and encode it could change it.
        return b"".join((_dumped(header)[:-1], b',"event":', on_one_line(self.event), b"}\n"))


def _dumped(header: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(header)
    except TypeError:
        # Names of files need not be text.
        header["source"] = os.fsencode(header["source"]).decode(errors="replace")
        return orjson.dumps(header)
