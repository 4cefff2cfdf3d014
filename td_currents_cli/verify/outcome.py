"""The result of `tdcur verify`."""

from dataclasses import dataclass
from typing import ClassVar

from td_currents_cli.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOutcome(Outcome):
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
        if not self.arrived:
            return (
                "No event arrived. Most likely the write key is wrong, for which Treasure Data returns HTTP 200 too, "
                "or the events were sent to a table of another name, or before the period of --since."
            )
        return (
            "Rows appear within about five minutes: wait longer with --within, "
            "or search older rows with --since. Send the events again that remain missing."
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
