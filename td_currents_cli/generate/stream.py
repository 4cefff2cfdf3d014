"""Batches of synthetic events, as endless as asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from td_currents_cli.catalog import EventType
from td_currents_cli.generate.dice import SeededRandom
from td_currents_cli.generate.mix import shuffled_types
from td_currents_cli.generate.recipe import EventBuilders

PAUSE: Final = 0.3
"""Mean seconds from one event to the next."""

OFFLINE: Final = 0.004
"""The share of events that arrive days late, from devices that were offline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedBatch:
    """A batch as it is sent.

    Attributes:
        events: the JSON text of each.
        received: UNIX seconds at which it arrives.
    """

    events: Sequence[bytes]
    received: int


def batches(
    types: Sequence[EventType], *, events: int, per_batch: int, seed: int, start: int
) -> Iterator[GeneratedBatch]:
    """So many events in batches.

    Args:
        types: of the events.
        events: how many in all.
        per_batch: how many in a batch; the last one holds the rest.
        seed: the same one gives the same bytes.
        start: UNIX seconds at which the first event happens.
    """
    stream = _events(types, seed, start)
    for first in range(0, events, per_batch):
        batch = [next(stream) for _ in range(min(per_batch, events - first))]
        yield GeneratedBatch(events=[text for _, text in batch], received=batch[-1][0] + 2)


def _events(types: Sequence[EventType], seed: int, start: int) -> Iterator[tuple[int, bytes]]:
    """Events without end, each with the moment it is sent."""
    book = EventBuilders(seed)
    people = book.people
    recipe_of = cache(lambda name: book.recipe(by_name[name]))
    by_name = {event.name: event for event in types}
    random = SeededRandom(seed, "events").random
    clock = float(start)
    for event in shuffled_types(types, SeededRandom(seed, "types")):
        recipe = recipe_of(event.name)
        # Squares draw the first ones more often: a few users and messages make most of the events.
        about, which, late = random(), random(), random()
        person = people[recipe.people[int(about * about * len(recipe.people))]]
        message = recipe.messages[recipe.message_numbers[int(which * which * len(recipe.message_numbers))]]
        delay = random() * 259_200 if late < OFFLINE else late * late * 20
        now = int(clock)
        yield now, recipe.event(person, message, int(clock - delay), random)
        clock += random() * 2 * PAUSE
