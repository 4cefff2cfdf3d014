"""Synthetic payloads from the catalog: the same request gives the same bytes on every machine.

The package itself contains only the request, so that the command's help does not load the generator: see `run`.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from td_currents_cli.braze import MAX_EVENTS


class GenerateFormat(StrEnum):
    """Format of the output."""

    payloads = "payloads"
    rows_csv = "rows-csv"
    rows_jsonl = "rows-jsonl"
    avro_export = "avro-export"


START: Final = 1_782_864_000  # 2026-07-01T00:00:00Z


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    events: int = 1000
    seed: int = 0
    types: tuple[str, ...] = ()  # globs; `!` excludes
    shape: GenerateFormat = GenerateFormat.payloads
    start: int = START  # time of the first event, UNIX seconds
    per_batch: int = MAX_EVENTS  # events in a batch; Braze's own default is 100
    output: Path | None = None  # None: stdout; the folder of an export
