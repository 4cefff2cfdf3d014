"""Groups of fields that describe what happened in an event."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, TypeAlias

from td_currents_cli.braze import USER_FIELDS
from td_currents_cli.catalog import Catalog, EventType, Field, FieldType, Where
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import TypeGlobs
from td_currents_cli.generate.fields import FIELD_GROUPS
from td_currents_cli.generate.profiles import IOS_PEOPLE, MESSAGES, PEOPLE, message, person
from td_currents_cli.generate.random_values import FieldGroup, Fragments, Record, RecordPool, SeededRandom, fragment

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
"""Identifiers that are new in each event, with their prefixes."""

DERIVED_TIMES: Final = {
    "time_ms": (1000, 137),
    "push_token_updated_at": (1, 0),
    "push_token_created_at": (1, 86_400),
    "send_time": (1, 3600),
}
"""Times derived from the event time: a factor, and an offset to subtract."""

_ONLY_IOS: Final = (".IosForeground", ".liveactivity.")

_PLAIN: Final[Mapping[FieldType, tuple[object, ...]]] = {
    FieldType.STRING: ("alpha", "beta", "gamma"),
    FieldType.INT: (1, 2, 30),
    FieldType.LONG: (1, 2, 3_000_000_000),
    FieldType.FLOAT: (0.5, 1.0, 2.25),
    FieldType.BOOLEAN: (True, False),
    FieldType.STRINGS: (["alpha"], ["alpha", "beta"]),
    FieldType.STRINGS_AND_NULLS: (["alpha"], ["alpha", None]),
    FieldType.OBJECT: ({"name": "alpha", "count": 1},),
}
"""Values of fields that are unknown here."""

EncodedRecord: TypeAlias = Mapping[str, bytes]
"""Fragments by field name, without those of absent fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBuilder:
    """Builds events of one type. Slots are indices into the fragments of a person or message."""

    head: bytes  # JSON up to the id
    people: Sequence[int]  # numbers, the most active first
    messages: RecordPool  # of the channel; `message_numbers` fit the type
    message_numbers: Sequence[int]
    user: tuple[int, ...]  # slots of `user` in a person
    person: tuple[int, ...]  # slots of `properties` in a person
    message: tuple[int, ...]  # slots of `properties` in a message
    tables: tuple[Fragments, ...]  # one fragment is chosen from each
    fresh: tuple[bytes, ...]  # fragments that end in a new identifier
    moments: tuple[tuple[bytes, int, int], ...]  # fragments that end in a time: its factor and offset

    def build(self, person: Fragments, message: Fragments, time: int, random: Callable[[], float]) -> bytes:
        """Encode one event; `time` is in UNIX seconds, `random` draws the rest."""
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
    """The builders of a run, and the people and messages that they share."""

    def __init__(self, seed: int) -> None:
        self.people = RecordPool(partial(person, seed), seed, "person", omitted=0.04)
        self._messages_of: Callable[[str], RecordPool] = cache(
            lambda channel: RecordPool(partial(message, seed, channel), seed, f"message {channel}", omitted=0.03)
        )
        self._records_of: Callable[[FieldGroup], Sequence[EncodedRecord]] = cache(
            lambda group: [*map(_encoded, group.records(seed))]
        )

    def builder(self, event: EventType) -> EventBuilder:
        fields = {field.name: field for field in event.fields if not field.storage_only}
        user = [fields[name] for name in USER_FIELDS if name in fields]
        left = {name: field for name, field in fields.items() if field.where is Where.PROPERTIES}
        messages = self._messages_of(event.channel)
        return EventBuilder(
            head=b'{"event_type":"%b","id":"' % event.name.encode(),
            people=IOS_PEOPLE if any(part in event.name for part in _ONLY_IOS) else range(PEOPLE),
            messages=messages,
            message_numbers=_message_numbers(left),
            user=_slots(user, self.people),
            person=_slots(_take(left, self.people.fields), self.people),
            message=_slots(_take(left, messages.fields), messages),
            tables=tuple(self._tables(event.name, left)),
            fresh=tuple(fragment(each.name, NEW_IDENTIFIERS[each.name])[:-1] for each in _take(left, NEW_IDENTIFIERS)),
            moments=tuple(
                (fragment(field.name, 0)[:-1], *DERIVED_TIMES[field.name]) for field in _take(left, DERIVED_TIMES)
            ),
        )

    def _tables(self, event_type: str, left: dict[str, Field]) -> Iterator[Fragments]:
        """Yield a table for each group with fields of the type, removing these from `left`."""
        for group in FIELD_GROUPS:
            if event_type.startswith(group.of) and (fields := _take(left, group.fields)):
                yield _value_table(self._records_of(group), fields, group.share)
        # Fields of a newer catalog.
        for field in _take(left, [name for name in left if name not in NEW_IDENTIFIERS and name not in DERIVED_TIMES]):
            records = [_encoded({field.name: value}) for value in field.enum or _PLAIN[field.type]]
            yield _value_table(records, [field], share=0.5)


def _encoded(record: Record) -> EncodedRecord:
    return {name: fragment(name, value) for name, value in record.items() if value is not None}


def _take(left: dict[str, Field], names: Iterable[str]) -> list[Field]:
    return [left.pop(name) for name in names if name in left]


def _slots(fields: Iterable[Field], pool: RecordPool) -> tuple[int, ...]:
    return tuple(pool.slot(field.name, required=field.required) for field in fields)


def _message_numbers(properties: Mapping[str, Field]) -> Sequence[int]:
    """Return the numbers of the messages that fit an event with these properties (see `MESSAGES`)."""
    campaign = properties.get("campaign_id")
    canvas = properties.get("canvas_id") or properties.get("canvas_variation_id")
    if canvas and (canvas.required or not campaign):
        return range(1, MESSAGES, 2)
    if campaign and (campaign.required or not canvas):
        return range(0, MESSAGES, 2)
    return range(MESSAGES)


def _value_table(records: Iterable[EncodedRecord], fields: Iterable[Field], share: float) -> Fragments:
    names = [field.name for field in fields]
    required = {field.name for field in fields if field.required}
    rows = [
        b"".join([record[name] for name in names if name in record]) for record in records if required <= record.keys()
    ]
    absent = 0 if required else round(len(rows) * (1 / share - 1))
    return (*rows, *[b""] * absent)


DECK: Final = 1000  # events in which each type occurs in proportion to its weight, at least once; the default run

_WEIGHTS_BY_PREFIX: Final[Mapping[str, Mapping[str, int]]] = {
    "users.messages.email": {"Send": 150, "Delivery": 145, "Open": 120, "Click": 30, "Bounce": 3, "SoftBounce": 4},
    "users.messages.pushnotification": {"Send": 140, "Open": 14, "Bounce": 4, "IosForeground": 8},
    "users.messages.inappmessage": {"Impression": 40, "Click": 8},
    "users.messages.contentcard": {"Send": 20, "Impression": 18, "Click": 4, "Dismiss": 2},
    "users.messages.banner": {"Impression": 10, "Click": 2},
    "users.messages.sms": {"Send": 10, "CarrierSend": 9, "Delivery": 9, "ShortLinkClick": 2},
    "users.messages.whatsapp": {"Send": 5, "Delivery": 5, "Read": 3},
    "users.messages": {"webhook.Send": 6, "email.Deferral": 3, "email.Unsubscribe": 3},
    "users.behaviors": {"CustomEvent": 80, "Purchase": 15, "Location": 4, "pushnotification.TokenStateChange": 3},
    "users.behaviors.app": {"SessionStart": 30, "SessionEnd": 26, "FirstSession": 4},
    "users": {"canvas.Entry": 8, "canvas.Conversion": 2, "canvasstep.Progression": 25},
    "users.campaigns": {"Conversion": 4, "EnrollInControl": 2},
}
WEIGHTS: Final = {f"{prefix}.{name}": n for prefix, names in _WEIGHTS_BY_PREFIX.items() for name, n in names.items()}
"""Relative frequency of each type, by default 1. Invented, in the proportions of typical funnels."""


def choose_types(catalog: Catalog, patterns: Sequence[str]) -> list[EventType]:
    """Select, by globs, event types that are sent over HTTP; `!` before a glob excludes its types.

    Without a glob, types whose fields Braze has not published are left out.

    Raises:
        UsageError: a pattern matches no type, or no type is left.
    """
    sent = [event for event in catalog.events.values() if event.http]
    for pattern in (each.removeprefix("!") for each in patterns):
        matches = TypeGlobs.of([pattern])
        if any(matches(event.name) for event in sent):
            continue
        if any(map(matches, catalog.events)):
            hint = "Braze only exports it to cloud storage; remove it."
            raise UsageError(f"--type {pattern}: not sent over HTTP", hint=hint)
        near = catalog.suggest(pattern)
        hint = "`tdcur events` lists all types. Quote * so that the shell does not expand it."
        raise UsageError(f"--type {pattern}: no such event type", hint=f"Did you mean {near}?" if near else hint)
    wanted = TypeGlobs.of(patterns)
    events = [event for event in sent if wanted(event.name) and (wanted.included or event.fields_published)]
    if not events:
        raise UsageError(f"no event types left by --type {' --type '.join(patterns)}", hint="Remove a `!…`.")
    return events


def shuffled_types(events: Sequence[EventType], rng: SeededRandom) -> Iterator[EventType]:
    """Yield event types endlessly, in shuffled decks that contain every type in proportion to the weights."""
    weights = [WEIGHTS.get(event.name, 1) for event in events]
    spare = DECK - len(events)
    shares = zip(events, weights, strict=True)
    deck = [event for event, weight in shares for _ in range(1 + spare * weight // sum(weights))]
    while True:
        for place in range(len(deck) - 1, 0, -1):
            other = rng.below(place + 1)
            deck[place], deck[other] = deck[other], deck[place]
        yield from deck
