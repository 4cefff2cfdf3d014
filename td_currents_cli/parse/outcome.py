"""The result of `parse`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from td_currents_cli.outcome import Balance, Outcome
from td_currents_cli.read.options import SourceFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseOutcome(Outcome):
    """What `parse` read and wrote."""

    command: ClassVar[str] = "parse"

    balance: Balance
    formats: tuple[SourceFormat, ...] = ()  # in which sources of rows were read, each once
    files: tuple[str, ...] = ()  # names, with a file per event type
    spilled: int = 0  # ids that did not fit into memory
    unknown: Mapping[str, str | None] = field(default_factory=dict)  # requested fields, each with a similar one

    def summary(self) -> dict[str, object]:
        return {
            "rows_read": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "written": self.balance.events_out,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "lost": self.balance.lost,
            "read_as": [str(each) for each in self.formats],
            **({"files": list(self.files)} if self.files else {}),
        }
