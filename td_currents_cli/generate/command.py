"""`tdcur generate`: write synthetic events."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import ClassVar, Final

from td_currents_cli import catalog
from td_currents_cli.catalog import EventType
from td_currents_cli.errors import UsageError
from td_currents_cli.generate import GenerateFormat, GenerateRequest
from td_currents_cli.generate.avro_export import ExportWriter
from td_currents_cli.generate.builder import EventBuilders, choose_types, shuffled_types
from td_currents_cli.generate.random_values import SeededRandom
from td_currents_cli.outcome import Outcome
from td_currents_cli.progress import Gauge, Progress
from td_currents_cli.write.files import atomic_output

PAUSE: Final = 0.3  # mean seconds between events

OFFLINE: Final = 0.004  # share of events that arrive days late, from devices that were offline


def batches(
    types: Sequence[EventType], *, events: int, per_batch: int, seed: int, start: int
) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield batches of events as JSON, each with its receive time in UNIX seconds; the last one may be smaller."""
    stream = _events(types, seed, start)
    for first in range(0, events, per_batch):
        times, batch = zip(*islice(stream, min(per_batch, events - first)), strict=True)
        yield times[-1] + 2, batch


def _events(types: Sequence[EventType], seed: int, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield events endlessly, each with the time when it is sent."""
    builders = EventBuilders(seed)
    people = builders.people
    builder_of = cache(lambda name: builders.builder(by_name[name]))
    by_name = {event.name: event for event in types}
    random = SeededRandom(seed, "events").random
    clock = float(start)
    for event in shuffled_types(types, SeededRandom(seed, "types")):
        builder = builder_of(event.name)
        # Squares favor the first ones: a few users and messages have most of the events.
        about, which, late = random(), random(), random()
        person = people[builder.people[int(about * about * len(builder.people))]]
        message = builder.messages[builder.message_numbers[int(which * which * len(builder.message_numbers))]]
        delay = random() * 259_200 if late < OFFLINE else late * late * 20
        now = int(clock)
        yield now, builder.build(person, message, int(clock - delay), random)
        clock += random() * 2 * PAUSE


def _line(shape: GenerateFormat, received: int, events: Sequence[bytes]) -> bytes:
    array = b"[%b]" % b",".join(events)
    match shape:
        case GenerateFormat.rows_csv:
            return b'%d,"%b"\n' % (received, array.replace(b'"', b'""'))
        case GenerateFormat.rows_jsonl:
            # JSON has no control characters, so only these two need escapes in a string.
            string = array.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            return b'{"time":%d,"events":"%b"}\n' % (received, string)
        case _:
            return b'{"events":%b}\n' % array


class GenerateOutcome(Outcome, frozen=True, kw_only=True):
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


def run(request: GenerateRequest, *, watch: Callable[[Gauge], None] = lambda _: None) -> GenerateOutcome:
    """Generate events and write them; `watch` is called once, with a function that returns the progress.

    Raises:
        UsageError: an event type does not exist, or an export has no folder of its own.
        OutputError: the file cannot be written.
    """
    began = time.monotonic()
    size = written = 0

    def progress() -> Progress:
        done = min(written * request.per_batch, request.events)
        return Progress(done=done, total=request.events, unit="events", figures=(f"{size / 1e6:,.1f} MB",))

    watch(progress)
    for size in _sizes(request):  # noqa: B007 -- shown by `progress`
        written += 1
    return GenerateOutcome(
        events=request.events,
        batches=-(-request.events // request.per_batch),
        bytes=size,
        seed=request.seed,
        seconds=time.monotonic() - began,
        output=request.output,
    )


def _sizes(request: GenerateRequest) -> Iterator[int]:
    """Write the output; yield the bytes that are written after each batch, and after the last one once more."""
    if request.shape is GenerateFormat.avro_export:
        yield from _export(request)
        return
    texts, size = lines(request), 0
    with atomic_output(request.output) as output:
        for text in texts:
            size += output.write(text)
            yield size


def _export(request: GenerateRequest) -> Iterator[int]:
    if request.output is None:
        raise UsageError("--shape avro-export writes a folder", hint="Name it: -o export/.")
    types = [event for event in choose_types(catalog.load(), request.types) if event.storage]
    if not types:
        raise UsageError("these event types are not in the export to cloud storage", hint="Choose other types.")
    export = ExportWriter(request.output, types)
    for received, batch in _batches(request, types):
        export.add(received, batch)
        yield export.bytes
    export.finish()
    yield export.bytes


def _batches(request: GenerateRequest, types: Sequence[EventType]) -> Iterator[tuple[int, Sequence[bytes]]]:
    return batches(types, events=request.events, per_batch=request.per_batch, seed=request.seed, start=request.start)


def lines(request: GenerateRequest) -> Iterator[bytes]:
    """Yield the output: the header of the format, if any, then a line for each batch.

    Raises:
        UsageError: an event type does not exist; raised at once, before the first line is requested.
    """
    types = choose_types(catalog.load(), request.types)
    header = [b"time,events\n"] if request.shape is GenerateFormat.rows_csv else []
    return chain(header, (_line(request.shape, received, batch) for received, batch in _batches(request, types)))
