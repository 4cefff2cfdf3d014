"""Streams of synthetic events in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from td_currents_cli.catalog import EventType
from td_currents_cli.generate.dice import SeededRandom
from td_currents_cli.generate.mix import shuffled_types
from td_currents_cli.generate.recipe import EventBuilders

PAUSE: Final = 0.3  # mean seconds between events

OFFLINE: Final = 0.004  # share of events that arrive days late, from devices that were offline


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedBatch:
    events: Sequence[bytes]  # JSON
    received: int  # receive time, UNIX seconds


def batches(
    types: Sequence[EventType], *, events: int, per_batch: int, seed: int, start: int
) -> Iterator[GeneratedBatch]:
    """Yield batches; the last one may be smaller. The same arguments give the same bytes."""
    stream = _events(types, seed, start)
    for first in range(0, events, per_batch):
        batch = [next(stream) for _ in range(min(per_batch, events - first))]
        yield GeneratedBatch(events=[text for _, text in batch], received=batch[-1][0] + 2)


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
