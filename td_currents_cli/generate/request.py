"""What can be asked for."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from td_currents_cli.braze import MAX_EVENTS


class GenerateFormat(StrEnum):
    """The form of the output."""

    payloads = "payloads"
    rows_csv = "rows-csv"
    rows_jsonl = "rows-jsonl"


START: Final = 1_782_864_000
"""When the first event happens unless said otherwise: 2026-07-01T00:00:00Z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """What to generate.

    Attributes:
        events: how many in all.
        seed: another one gives other events.
        types: globs over event types, those beginning with `!` to leave out; none for all.
        shape: how they are written.
        start: UNIX seconds of the first event.
        per_batch: events in a batch; Braze's own default is 100.
        output: the file to write, None for standard output.
    """

    events: int = 1000
    seed: int = 0
    types: tuple[str, ...] = ()
    shape: GenerateFormat = GenerateFormat.payloads
    start: int = START
    per_batch: int = MAX_EVENTS
    output: Path | None = None
