"""How an event of a type is put together: compiled once from the catalogue, followed for each event."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from td_currents_cli.braze import USER_FIELDS
from td_currents_cli.catalog import EventType, Field, FieldType, Where
from td_currents_cli.generate.details import FIELD_GROUPS, FieldGroup
from td_currents_cli.generate.devices import is_ios
from td_currents_cli.generate.fragments import Fragments, RecordPool, fragment
from td_currents_cli.generate.messages import MESSAGES, message
from td_currents_cli.generate.people import PEOPLE, person

NEW_IDENTIFIERS: Final = {
    "session_id": "",
    "canvas_entry_id": "",
    "invocation_id": "",
    "request_id": "req_",
    "provider_request_id": "",
    "tool_call_id": "call_",
    "message_id": "wamid.",
    "in_reply_to": "wamid.",
    "media_id": "",
}
"""Identifiers that are new in each event, and how they begin."""

DERIVED_TIMES: Final = {"time_ms": (1000, 137), "push_token_updated_at": (1, 0), "push_token_created_at": (1, 86_400)}
"""Times that follow from the event's own: what it is multiplied with and how much earlier the moment is."""

_ONLY_IOS: Final = (".IosForeground", ".liveactivity.")
_IOS: Final = tuple(number for number in range(PEOPLE) if is_ios(number))

_PLAIN: Final[Mapping[FieldType, tuple[object, ...]]] = {
    FieldType.STRING: ("alpha", "beta", "gamma"),
    FieldType.INT: (1, 2, 30),
    FieldType.LONG: (1, 2, 3_000_000_000),
    FieldType.FLOAT: (0.5, 1.0, 2.25),
    FieldType.BOOLEAN: (True, False),
    FieldType.STRINGS: (["alpha"], ["alpha", "beta"]),
    FieldType.OBJECT: ({"name": "alpha", "count": 1},),
}
"""Values for fields that no module here knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBuilder:
    """What an event of one type is made of.

    Attributes:
        head: the event's text up to its id.
        people: numbers of the people it can be about, the most active first.
        messages: the pool of its channel, and `message_numbers` the ones that fit the type.
        user: places of the members of `user` in a person.
        person: places of the members of `properties` that come from the person.
        message: those that come from the message.
        tables: alternatives to choose from, one of each.
        fresh: beginnings of members that end in a new identifier.
        moments: beginnings of members that are times, each with its factor and what is taken off.
    """

    head: bytes
    people: Sequence[int]
    messages: RecordPool
    message_numbers: Sequence[int]
    user: tuple[int, ...]
    person: tuple[int, ...]
    message: tuple[int, ...]
    tables: tuple[Fragments, ...]
    fresh: tuple[bytes, ...]
    moments: tuple[tuple[bytes, int, int], ...]

    def event(self, person: Fragments, message: Fragments, time: int, random: Callable[[], float]) -> bytes:
        """One event's JSON text.

        Args:
            person: from the pool of people.
            message: from the pool of the type's channel.
            time: UNIX seconds.
            random: draws the rest.
        """
        properties = [person[place] for place in self.person]
        properties += [message[place] for place in self.message]
        properties += [table[int(random() * len(table))] for table in self.tables]
        properties += [b'%b%012x%012x"' % (text, int(random() * 2**48), int(random() * 2**48)) for text in self.fresh]
        properties += [b"%b%d" % (text, time * factor - less) for text, factor, less in self.moments]
        return b'%b%08x-%04x-4%03x-%04x-%012x","time":%d,"user":{%b},"properties":{%b}}' % (
            self.head,
            int(random() * 2**32),
            int(random() * 2**16),
            int(random() * 2**12),
            0x8000 | int(random() * 2**14),
            int(random() * 2**48),
            time,
            b"".join([person[place] for place in self.user])[1:],
            b"".join(properties)[1:],
        )


class EventBuilders:
    """The recipes of a run, and the people and messages they share."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._channels: dict[str, RecordPool] = {}
        self._records: dict[str, list[dict[str, bytes]]] = {}
        self.people = RecordPool(lambda number: person(seed, number), seed, "person", omitted=0.04)

    def recipe(self, event: EventType) -> EventBuilder:
        """The recipe of an event type."""
        fields = {field.name: field for field in event.fields if not field.storage_only}
        user = [fields[name] for name in USER_FIELDS if name in fields]
        left = {name: field for name, field in fields.items() if field.where is Where.PROPERTIES}
        messages = self._channel(event.channel)
        return EventBuilder(
            head=b'{"event_type":"%b","id":"' % event.name.encode(),
            people=_IOS if any(part in event.name for part in _ONLY_IOS) else range(PEOPLE),
            messages=messages,
            message_numbers=_message_numbers(left),
            user=_slots(user, self.people),
            person=_slots(_take(left, self.people.fields), self.people),
            message=_slots(_take(left, messages.fields), messages),
            tables=tuple(self._tables(event.name, left)),
            fresh=tuple(
                fragment(field.name, NEW_IDENTIFIERS[field.name])[:-1] for field in _take(left, NEW_IDENTIFIERS)
            ),
            moments=tuple(
                (fragment(field.name, 0)[:-1], *DERIVED_TIMES[field.name]) for field in _take(left, DERIVED_TIMES)
            ),
        )

    def _channel(self, name: str) -> RecordPool:
        if name not in self._channels:
            make = partial(message, self._seed, name)
            self._channels[name] = RecordPool(make, self._seed, f"message {name}", omitted=0.03)
        return self._channels[name]

    def _tables(self, event_type: str, left: dict[str, Field]) -> Iterator[Fragments]:
        """A table for each bundle that has fields of the type, taking these from the ones that are left."""
        for bundle in FIELD_GROUPS:
            if event_type.startswith(bundle.of) and (fields := _take(left, bundle.fields)):
                yield _value_table(self._encoded(bundle), fields, bundle.share)
        # What a catalogue newer than this module knows.
        for field in _take(left, [name for name in left if name not in NEW_IDENTIFIERS and name not in DERIVED_TIMES]):
            records = [{field.name: fragment(field.name, value)} for value in field.enum or _PLAIN[field.type]]
            yield _value_table(records, [field], share=0.5)

    def _encoded(self, bundle: FieldGroup) -> list[dict[str, bytes]]:
        if bundle.name not in self._records:
            records = bundle.records(self._seed)
            self._records[bundle.name] = [{name: fragment(name, value) for name, value in r.items()} for r in records]
        return self._records[bundle.name]


def _take(left: dict[str, Field], names: Iterable[str]) -> list[Field]:
    return [left.pop(name) for name in names if name in left]


def _slots(fields: Iterable[Field], pool: RecordPool) -> tuple[int, ...]:
    return tuple(pool.slot(field.name, required=field.required) for field in fields)


def _message_numbers(properties: Mapping[str, Field]) -> Sequence[int]:
    """The messages an event with these properties can be about: see `MESSAGES` for what the numbers mean."""
    campaign = properties.get("campaign_id")
    canvas = properties.get("canvas_id") or properties.get("canvas_variation_id")
    if canvas and (canvas.required or not campaign):
        return range(1, MESSAGES, 2)
    if campaign and (campaign.required or not canvas):
        return range(0, MESSAGES, 2)
    return range(MESSAGES)


def _value_table(records: Iterable[Mapping[str, bytes]], fields: Iterable[Field], share: float) -> Fragments:
    names = [field.name for field in fields]
    required = {field.name for field in fields if field.required}
    rows = [
        b"".join([record[name] for name in names if name in record]) for record in records if required <= record.keys()
    ]
    absent = 0 if required else round(len(rows) * (1 / share - 1))
    return (*rows, *[b""] * absent)
