"""What a verification ends with."""

from dataclasses import dataclass
from typing import ClassVar

from td_currents_cli.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOutcome(Outcome):
    """Which of the events that were sent are in the table.

    Attributes:
        table: its address.
        sent: different ids among the events that were sent.
        missing: those that are not in the table, in the order sent.
        unreadable: rows of the table, and elements of them, that nothing could be made of.
        without_id: events that have none, so that nothing can be said of them.
        asked: how often the table was asked.
        seconds: from the first question to the last answer.
        within: seconds there were for it.
        rows: when the rows were received that were looked at, as text.
    """

    command: ClassVar[str] = "verify"

    table: str
    sent: int
    missing: tuple[str, ...]
    without_id: int
    unreadable: int = 0
    asked: int
    seconds: float
    within: float
    rows: str

    @property
    def arrived(self) -> int:
        """Different ids that are in the table."""
        return self.sent - len(self.missing)

    @property
    def advice(self) -> str:
        """What to do about what is missing."""
        if not self.missing:
            return ""
        if not self.arrived:
            return (
                "Nothing arrived: most likely the write key is wrong, which Treasure Data answers with 200 too, "
                "or the events were sent to a table of another name, or longer ago than --since looks back."
            )
        return (
            "Rows appear within about five minutes: give them longer with --within, "
            "or look further back with --since. Send again what stays missing."
        )

    def summary(self) -> dict[str, object]:
        """The figures, by the names scripts rely on."""
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
        """The ids that are missing, and what to do."""
        return {"table": self.table, "rows": self.rows, "missing_ids": list(self.missing), "advice": self.advice}
