"""The fast pass: whether a payload, or an event, surely breaks none of some rules.

The types of `EventTypes` refuse nearly everything that breaks a rule. Of a duplicate key a decoder keeps one field,
which shows when the value is encoded again, usually by its length. A property test proves that the careful check finds
no problem in what passes; another test goes through all rules.
"""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, NewType, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from td_currents_cli.braze import (
    CUSTOM_EVENT,
    EMPTY_PAYLOAD,
    ENVELOPE,
    MAX_BYTES,
    MAX_EVENT_BYTES,
    MAX_EVENTS,
    PURCHASE,
)
from td_currents_cli.catalog import Catalog, EventType, Field, FieldType, Where
from td_currents_cli.catalog.constraints import FieldLimit, Guard, limits_of
from td_currents_cli.catalog.model import fields_accepted
from td_currents_cli.events.json import too_deep_at
from td_currents_cli.patterns import pattern
from td_currents_cli.read.scanner import is_utf8
from td_currents_cli.validate.checks import (
    COLUMN_NAME,
    EXTERNAL_USER_ID,
    MAX_LEVELS,
    needs_external_user_id,
)
from td_currents_cli.validate.document_checks import kept_all
from td_currents_cli.validate.rules import Rule, RuleScope

_INT64: Final = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: Final[Mapping[FieldType, Any]] = {
    FieldType.STRING: str,
    FieldType.INT: _INT64,
    FieldType.LONG: _INT64,
    # msgspec takes an integer near or beyond 64 bits for a float: refuse those, and floats as large.
    FieldType.FLOAT: Annotated[float, Meta(gt=-(2.0**62), lt=2.0**62)],
    FieldType.BOOLEAN: bool,
    FieldType.STRINGS: list[str],
    FieldType.STRINGS_AND_NULLS: list[str | None],
}
_WITH_FLOATS: Final = {FieldType.FLOAT, FieldType.OBJECT}
_MAX_CUSTOM_LEVELS: Final = 8  # of arrays and objects in a custom property that the types cover

_CLOSED: Final = {
    Guard.ONLY_EVENTS,
    Guard.ONLY_EVENT_FIELDS,
    Guard.ONLY_KNOWN_FIELDS,
    Guard.SENT_OVER_HTTP,
    Guard.INT64,
    Guard.UNIQUE_NAMES,
}
"""What cannot be known of fields that are skipped: types that guard it have no others than those of the catalog."""


def _custom_data(name: Any) -> Any:  # noqa: ANN401 -- a type made at run time
    # Named types: otherwise typing and msgspec walk through the whole depth of each, for hundreds of fields.
    new_type: Any = NewType
    value: Any = new_type("Value", _INT64 | float | str | bool | None)
    for _ in range(_MAX_CUSTOM_LEVELS):
        value = new_type("Value", _INT64 | float | str | bool | list[value] | dict[str, value] | None)
    return new_type("CustomData", dict[name, value])


class _AnyObject(msgspec.Struct, gc=False):
    """An object whose fields are skipped."""


_COLUMN: Final = pattern(COLUMN_NAME)
_REFUSED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
_Decoder: TypeAlias = msgspec.json.Decoder[Any]


class RawType:
    """The type of raw values."""

    def __init__(self, value: Any, *, has_columns: bool = False) -> None:  # noqa: ANN401 -- as above
        self._decoder: _Decoder = msgspec.json.Decoder(value)
        self._has_columns = has_columns  # whether the names in an object must be valid column names

    def accepts(self, values: Sequence[Raw]) -> bool:
        """Whether the values are of the type, and no name is in an object twice."""
        lines = b"\n".join(values)
        try:
            decoded = self._decoder.decode_lines(lines)
        except _REFUSED:
            return False
        objects = [value for value in decoded if isinstance(value, dict)]
        # To match every name when it is decoded takes three times as long as to decode it.
        if self._has_columns and not all(map(_COLUMN.match, set[str]().union(*objects))):
            return False
        return lines.count(b":") == sum(map(len, objects)) or kept_all(lines, msgspec.json.encode(decoded))


class EventTypes:
    """Structs for events, told apart by `event_type`, that refuse what breaks `rules`.

    If names must be unique, what may contain floats is kept raw, to be checked by itself. All else never gets longer
    when it is encoded again.

    Event types that are not sent over HTTP, and custom events, purchases and properties of unpublished types that an
    overlay describes, are left to the careful check.
    """

    def __init__(self, catalog: Catalog, rules: Collection[Rule], now: int) -> None:
        self._guards = {rule.fast for rule in rules}
        self._objects: dict[tuple[object, ...], Any] = {}
        self._raw_types: dict[tuple[object, ...], RawType] = {}
        self._raw_fields: dict[Any, dict[str, RawType]] = {}  # of the structs in `_objects`
        self.raw_values: dict[Any, list[tuple[Callable[[Any], Any], RawType]]] = {}  # of each event
        self._keeps_raw = Guard.UNIQUE_NAMES in self._guards
        self.is_closed = not self._guards.isdisjoint(_CLOSED)
        self._has_columns = Guard.COLUMN_NAMES in self._guards
        column = Annotated[str, Meta(pattern=COLUMN_NAME)] if self._has_columns and not self._keeps_raw else str
        reads_custom_data = self.is_closed or self._has_columns
        self._types = {**_TYPES, FieldType.OBJECT: _custom_data(column) if reads_custom_data else _AnyObject}
        self._any_properties = _custom_data(str) if self.is_closed else _AnyObject
        if self._keeps_raw:
            self._raw_fields[Raw] = {"": RawType(self._any_properties)}
            self._any_properties = Raw
        names, ids, times = (limits_of(rules, field) for field in ENVELOPE)
        described = {CUSTOM_EVENT if catalog.custom_events else "", PURCHASE if catalog.purchase_properties else ""}
        structs = [
            self._event(each, [("id", _string(ids)), ("time", _integer(times, now))])
            for each in catalog.events.values()
            if each.http
            and each.name not in described
            and (each.fields_published or all(field.where is not Where.PROPERTIES for field in each.fields))
            and not any(limit.refuses(each.name, now) for limit in names)
        ]
        self.event: Any = reduce(operator.or_, structs[1:], structs[0])
        self.payload: Any = self._struct("Payload", [("events", list[self.event])])  # type: ignore[name-defined]

    def _event(self, event_type: EventType, fields: list[Any]) -> Any:  # noqa: ANN401 -- as above
        places = [(place.value, self._object(event_type, place)) for place in (Where.USER, Where.PROPERTIES)]
        event = self._struct("Event", [*fields, *places], tag_field="event_type", tag=event_type.name)
        self.raw_values[event] = [
            (attrgetter(f"{place}.{attribute}".removesuffix(".")), raw_type)
            for place, struct in places
            for attribute, raw_type in self._raw_fields.get(struct, {}).items()
        ]
        return event

    def _object(self, event_type: EventType, where: Where) -> Any:  # noqa: ANN401 -- as above
        """The type of `user` or `properties`; event types share it where they share their fields."""
        if where is Where.PROPERTIES and not event_type.fields_published:
            return self._any_properties
        only_sent = Guard.SENT_OVER_HTTP in self._guards
        needs_id = Guard.EXTERNAL_USER_ID in self._guards and needs_external_user_id(event_type)
        needed = EXTERNAL_USER_ID if needs_id and where is Where.USER else ""
        accepted = fields_accepted(event_type, where).values()
        fields = tuple(field for field in accepted if field.until is None or not only_sent)
        if (needed, *fields) not in self._objects:
            # A field of the user's own catalog need not have an identifier as its name.
            names = {f"field{number}": field.name for number, field in enumerate(fields)}
            raw = {
                attribute: field
                for attribute, field in zip(names, fields, strict=True)
                if self._keeps_raw and field.type in _WITH_FLOATS and field.name != needed
            }
            attributes = [
                (attribute, *self._field(field, is_needed=field.name == needed, is_raw=attribute in raw))
                for attribute, field in zip(names, fields, strict=True)
            ]
            struct = self._struct("Fields", attributes, rename=names, omit_defaults=True, kw_only=True)
            self._objects[needed, *fields] = struct
            self._raw_fields[struct] = {attribute: self._raw_type(field) for attribute, field in raw.items()}
        return self._objects[needed, *fields]

    def _field(self, field: Field, *, is_needed: bool, is_raw: bool) -> tuple[Any] | tuple[Any, Any]:
        """The type of a field, and what it is where it is missing, if it may be."""
        if is_needed:
            return (self._value(field) if self._has_values(field) else Annotated[str, Meta(min_length=1)],)
        # Null is a raw value, too.
        value = Raw if is_raw else self._value_or_null(field)
        return (value,) if field.expected else (value | UnsetType, UNSET)

    def _has_values(self, field: Field) -> bool:
        return bool(field.enum) and Guard.FIELD_VALUES in self._guards

    def _value(self, field: Field) -> Any:  # noqa: ANN401 -- as above
        return Literal[field.enum] if self._has_values(field) else self._types[field.type]

    def _value_or_null(self, field: Field) -> Any:  # noqa: ANN401 -- as above
        return self._value(field) if field.expected else self._value(field) | None

    def _raw_type(self, field: Field) -> RawType:
        kind = field.type, field.expected, field.enum
        if kind not in self._raw_types:
            has_columns = self._has_columns and field.type is FieldType.OBJECT
            self._raw_types[kind] = RawType(self._value_or_null(field), has_columns=has_columns)
        return self._raw_types[kind]

    def _struct(self, name: str, fields: list[Any], **options: Any) -> Any:  # noqa: ANN401 -- as above
        return msgspec.defstruct(name, fields, forbid_unknown_fields=self.is_closed, gc=False, **options)


def _string(limits: list[FieldLimit]) -> Any:  # noqa: ANN401 -- as above
    shortest = max((limit.min_length for limit in limits if limit.min_length is not None), default=None)
    longest = min((limit.max_length for limit in limits if limit.max_length is not None), default=None)
    return Annotated[str, Meta(min_length=shortest, max_length=longest)]


def _integer(limits: list[FieldLimit], now: int) -> Any:  # noqa: ANN401 -- as above
    first = max((limit.minimum for limit in limits if limit.minimum is not None), default=None)
    lasts = [limit.below - 1 for limit in limits if limit.below is not None]
    lasts += [now + limit.max_ahead for limit in limits if limit.max_ahead is not None]
    return Annotated[int, Meta(ge=first, le=min(lasts, default=None))]


_GROUP: Final = 10  # events that are tried together: most of them pass, also in a batch that does not
_OBJECTS: Final = 3  # that every event is made of: itself, `user` and `properties`


class FastCheck:
    """Passes what surely breaks none of `rules`, by decoding it.

    It passes nothing as long as it cannot know that of one of them: see `Rule.fast`.
    """

    def __init__(self, catalog: Catalog, rules: Collection[Rule], now: int) -> None:
        concerned = [rule for rule in rules if rule.scope in {RuleScope.DOCUMENT, RuleScope.EVENT}]
        self._is_on = all(rule.limits or rule.fast for rule in concerned)
        types = EventTypes(catalog, concerned, now)
        self._is_closed = types.is_closed
        guards = {rule.fast for rule in concerned}
        self._unique_names = Guard.UNIQUE_NAMES in guards
        self._counts_events = Guard.EVENT_COUNT in guards
        # No event can be larger than its payload: a payload beyond the limit of an event is left to the careful check.
        self._max_bytes = MAX_EVENT_BYTES if Guard.EVENT_SIZE in guards else MAX_BYTES
        self._raw_values = types.raw_values
        self._payload: _Decoder = msgspec.json.Decoder(types.payload)
        self._array: _Decoder = msgspec.json.Decoder(list[types.event])  # type: ignore[name-defined]
        self._event: _Decoder = msgspec.json.Decoder(types.event)
        self._encode = msgspec.json.Encoder().encode

    def events_of_payload(self, data: bytes) -> list[Any] | None:
        """The events of a payload, with `id` and `time`; None where it needs the careful check."""
        payload = self._decoded(self._payload, data) if len(data) <= self._max_bytes else None
        if payload is None or (self._counts_events and not 0 < len(payload.events) <= MAX_EVENTS):
            return None
        return self._checked(data, payload, payload.events)

    def events_of_cell(self, data: bytes) -> list[Any] | None:
        """The events of an array in an ingested row, which no limit of requests concerns any more."""
        events: list[Any] | None = self._decoded(self._array, data)
        if events is None or (self._counts_events and not events):
            return None
        return self._checked(data, events, events)

    def event(self, text: bytes) -> Any:  # noqa: ANN401 -- of a type made at run time
        event = self._decoded(self._event, text) if len(text) + len(EMPTY_PAYLOAD) <= self._max_bytes else None
        return event if event is not None and self._checked(text, event, [event]) else None

    def ids_of_events(self, texts: Sequence[bytes]) -> list[str | None]:
        """The id of each event that passes, None for the others."""
        events: list[Any] = []
        for begin in range(0, len(texts), _GROUP):
            group = texts[begin : begin + _GROUP]
            together = b"[%b]" % b",".join(group)
            passed = self.events_of_cell(together) if len(together) + len(EMPTY_PAYLOAD) <= self._max_bytes else None
            events += map(self.event, group) if passed is None else passed
        return [None if event is None else event.id for event in events]

    def _decoded(self, decoder: _Decoder, text: bytes) -> Any:  # noqa: ANN401 -- as above
        if not self._is_on or not (self._is_closed or is_utf8(text)):
            return None
        try:
            return decoder.decode(text)
        except _REFUSED:
            return None

    def _checked(self, text: bytes, value: object, events: list[Any]) -> list[Any] | None:
        """The events, which were decoded from `text` as a part of `value`, if their names and depth break no rule."""
        if not self._is_shallow(text, len(events)):
            return None
        if self._unique_names:
            encoded = self._encode(value)
            # Nothing gets longer, so that what was lost would show.
            if len(encoded) != len(text) and not kept_all(text, encoded):
                return None
            raw: dict[RawType, list[Raw]] = {}
            for event in events:
                for value_of, raw_type in self._raw_values[type(event)]:
                    if (value := value_of(event)) is not UNSET:
                        raw.setdefault(raw_type, []).append(value)
            if not all(raw_type.accepts(values) for raw_type, values in raw.items()):
                return None
        return events

    def _is_shallow(self, text: bytes, events: int) -> bool:
        """Whether no event is nested too deep: all others have their objects, and too few brackets are left."""
        if self._is_closed:
            return True
        others = max(0, events - 1) * _OBJECTS
        levels = _number_of(b"{", text) + _number_of(b"[", text) - others
        return levels <= MAX_LEVELS or too_deep_at(text, MAX_LEVELS) is None


def _number_of(byte: bytes, text: bytes) -> int:
    """How often a byte occurs. `bytes.count` looks at bytes one by one and takes six times as long."""
    return len(text) - len(text.replace(byte, b""))
