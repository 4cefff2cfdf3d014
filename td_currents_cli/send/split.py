"""A refused payload, in parts. Each part keeps the order, the bytes, and the places of its events."""

from collections.abc import Iterator
from itertools import pairwise

from td_currents_cli.journal.keys import event_keys
from td_currents_cli.send.payload import Origin, Payload, body_of, prefix_of


def halves(payload: Payload) -> list[Payload]:
    """Return the first and the second half of the events; nothing for a single event."""
    if payload.events < 2:
        return []
    return list(_parts(payload, [0, payload.events // 2, payload.events]))


def singles(payload: Payload) -> list[Payload]:
    return list(_parts(payload, range(payload.events + 1)))


def _parts(payload: Payload, bounds: list[int] | range) -> Iterator[Payload]:
    events = payload.event_texts()
    prefix, _ = prefix_of(payload.body)
    origins = [
        Origin(origin.location, place, 1)
        for origin in payload.origins
        for place in range(origin.first, origin.first + origin.count)
    ]
    for start, end in pairwise(bounds):
        yield Payload(
            index=payload.index,
            body=body_of(prefix, events[start:end]),
            events=end - start,
            origins=tuple(origins[start:end]),
            keys=event_keys(events[start:end]) if payload.keys else b"",
        )
