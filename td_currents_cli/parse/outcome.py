"""The result of parsing."""

from dataclasses import dataclass
from typing import ClassVar

from td_currents_cli.outcome import Balance, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseOutcome(Outcome):
    """Where every row and event went.

    Attributes:
        files: written for event types, by name; empty where all events went to one output.
        spilled: digests of ids that did not fit into memory.
    """

    command: ClassVar[str] = "parse"

    balance: Balance
    files: tuple[str, ...] = ()
    spilled: int = 0

    def summary(self) -> dict[str, object]:
        """The balance."""
        return {
            "rows_read": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "written": self.balance.events_out,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "lost": 0,
            **({"files": list(self.files)} if self.files else {}),
        }
