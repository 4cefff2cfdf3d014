"""A payload that is refused, in parts: what is sent instead of it. Each part keeps its order, its bytes, its places."""

from collections.abc import Iterator
from itertools import pairwise

from td_currents_cli.send.digest import event_keys
from td_currents_cli.send.payload import Origin, Payload, body_of, prefix_of


def halves(payload: Payload) -> list[Payload]:
    """Its first and its second half; nothing where there is only one event."""
    if payload.events < 2:
        return []
    middle = payload.events // 2
    return list(_parts(payload, [0, middle, payload.events]))


def singles(payload: Payload) -> list[Payload]:
    """Each of its events by itself."""
    return list(_parts(payload, range(payload.events + 1)))


def _parts(payload: Payload, bounds: list[int] | range) -> Iterator[Payload]:
    events = payload.event_texts()
    prefix, _ = prefix_of(payload.body)
    origins = list(_each(payload.origins))
    for begin, end in pairwise(bounds):
        yield Payload(
            index=payload.index,
            body=body_of(prefix, events[begin:end]),
            events=end - begin,
            origins=tuple(origins[begin:end]),
            keys=event_keys(events[begin:end]) if payload.keys else b"",
        )


def _each(origins: tuple[Origin, ...]) -> Iterator[Origin]:
    """The origin of each event."""
    for origin in origins:
        for place in range(origin.first, origin.first + origin.count):
            yield Origin(origin.location, place, 1)
