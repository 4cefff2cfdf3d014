"""`tdcur generate`: write synthetic events."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import ClassVar

from td_currents_cli import catalog
from td_currents_cli.generate.mix import choose_types
from td_currents_cli.generate.request import GenerateRequest
from td_currents_cli.generate.shapes import HEADERS, batch_writer
from td_currents_cli.generate.stream import batches
from td_currents_cli.outcome import Outcome
from td_currents_cli.write.files import atomic_output


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateOutcome(Outcome):
    command: ClassVar[str] = "generate"

    events: int
    batches: int
    bytes: int
    seed: int
    seconds: float
    output: Path | None

    def summary(self) -> dict[str, object]:
        return {
            "events": self.events,
            "batches": self.batches,
            "bytes": self.bytes,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
        }


def run(request: GenerateRequest) -> GenerateOutcome:
    """Generate events and write them.

    Raises:
        UsageError: an event type does not exist.
        OutputError: the file cannot be written.
    """
    began = time.monotonic()
    texts = lines(request)
    size = 0
    with atomic_output(request.output) as output:
        for text in texts:
            size += output.write(text)
    return GenerateOutcome(
        events=request.events,
        batches=-(-request.events // request.per_batch),
        bytes=size,
        seed=request.seed,
        seconds=time.monotonic() - began,
        output=request.output,
    )


def lines(request: GenerateRequest) -> Iterator[bytes]:
    """Yield the output: the header of the format, if any, then a line for each batch.

    Raises:
        UsageError: an event type does not exist; raised at once, before the first line is requested.
    """
    types = choose_types(catalog.load(), request.types)
    sent = batches(types, events=request.events, per_batch=request.per_batch, seed=request.seed, start=request.start)
    return chain(HEADERS.get(request.shape, ()), map(batch_writer(request.shape), sent))
