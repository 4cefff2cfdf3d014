"""The result of parsing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from td_currents_cli.outcome import Balance, Outcome
from td_currents_cli.read.options import SourceFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseOutcome(Outcome):
    """Where every row and event went.

    Attributes:
        balance: of rows and events.
        shapes: how sources of rows were read, each way once.
        files: written for event types, by name; empty where all events went to one output.
        spilled: digests of ids that did not fit into memory.
        unknown: fields that were picked and are not in the catalogue, each with the one that may be meant.
    """

    command: ClassVar[str] = "parse"

    balance: Balance
    shapes: tuple[SourceFormat, ...] = ()
    files: tuple[str, ...] = ()
    spilled: int = 0
    unknown: Mapping[str, str | None] = field(default_factory=dict)

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
            "lost": self.balance.lost,
            "read_as": [str(shape) for shape in self.shapes],
            **({"files": list(self.files)} if self.files else {}),
        }
