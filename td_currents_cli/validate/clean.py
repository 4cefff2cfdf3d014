"""The fast pass: whether a batch, or an event, is such that diagnosis has nothing to remark.

The catalogue becomes one union of types, told apart by `event_type`, that refuses whatever a rule remarks: unknown
names, missing fields, values outside a set, times out of bounds. What decodes as that is clean, but for names that
stand twice in an object, of which a decoder keeps one: they show when the value is encoded again and has fewer members.
A property test proves that clean means no findings.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Annotated, Any, Final, Literal, NewType

import msgspec
from msgspec import UNSET, Meta, UnsetType

from td_currents_cli.catalog import Catalog, EventType, Field, FieldType, Where
from td_currents_cli.catalog.event_types import CUSTOM_EVENT, PURCHASE
from td_currents_cli.validate.destination import is_external_user_id
from td_currents_cli.validate.fields import fields_accepted
from td_currents_cli.validate.limits import COLUMN_NAME, EARLIEST, MOST_BYTES, MOST_EVENTS, REQUEST_FRAME
from td_currents_cli.validate.text import kept_all

_Int64: Final = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_NotEmpty: Final = Annotated[str, Meta(min_length=1)]
_NESTED: Final = 8
"""Levels of arrays and objects in a custom property that are passed; deeper ones are left to diagnosis."""

_GROUP: Final = 10
"""Events of a batch that is not clean which are tried together: most of them are."""

_NOT_CLEAN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)


def _any_value(levels: int) -> Any:  # noqa: ANN401 -- a type made at run time
    """Any JSON value of so many levels whose integers have 64 bits."""
    value: Any = _Int64 | float | str | bool | None
    for _ in range(levels):
        value = _Int64 | float | str | bool | list[value] | dict[str, value] | None
    return value


_AnyValue: Any = _any_value(_NESTED)
_ColumnName: Final = Annotated[str, Meta(pattern=COLUMN_NAME)]
_TYPES: Final[Mapping[FieldType, Any]] = {
    FieldType.STRING: str,
    FieldType.INT: _Int64,
    FieldType.LONG: _Int64,
    # An integer near or beyond 64 bits is taken for a float: left to diagnosis, as are floats as large.
    FieldType.FLOAT: Annotated[float, Meta(gt=-(2.0**62), lt=2.0**62)],
    FieldType.BOOLEAN: bool,
    FieldType.STRINGS: list[str],
    # By a name of its own: each of hundreds of fields would have its whole depth walked through, by typing and msgspec.
    FieldType.OBJECT: NewType("CustomData", dict[_ColumnName, _AnyValue]),  # type: ignore[valid-type]
}


class CleanPass:
    """Decoders of clean batches and clean events.

    Args:
        catalog: the event types. Custom events and purchases are left to diagnosis where it describes their data.
        latest: UNIX seconds after which a `time` is in the future.
    """

    def __init__(self, catalog: Catalog, latest: int) -> None:
        event = _union(catalog, Annotated[int, Meta(ge=EARLIEST, le=latest)])
        events: Any = list[event]  # type: ignore[valid-type]
        payload = msgspec.defstruct("Payload", [("events", events)], forbid_unknown_fields=True, gc=False)
        self._payload: msgspec.json.Decoder[Any] = msgspec.json.Decoder(payload)
        self._array: msgspec.json.Decoder[Any] = msgspec.json.Decoder(events)
        self._event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(event)
        self._encode = msgspec.json.Encoder().encode

    def ids_of_payload(self, data: bytes) -> list[str] | None:
        """The ids of a clean payload's events; None for any other."""
        if len(data) > MOST_BYTES:
            return None
        payload = self._clean(self._payload, data)
        if payload is None or not 0 < len(payload.events) <= MOST_EVENTS:
            return None
        return [event.id for event in payload.events]

    def ids_of_cell(self, data: bytes) -> list[str] | None:
        """The ids of a clean array of events from an ingested row, which no limit of requests concerns any more."""
        events = self._clean(self._array, data)
        return [event.id for event in events] if events else None

    def id_of_event(self, text: bytes) -> str | None:
        """The id of a clean event; None for any other."""
        event = self._clean(self._event, text) if len(text) + REQUEST_FRAME <= MOST_BYTES else None
        return None if event is None else str(event.id)

    def ids_of_events(self, texts: Sequence[bytes]) -> list[str | None]:
        """The id of each clean event, in their order; None for each other one."""
        ids: list[str | None] = []
        for begin in range(0, len(texts), _GROUP):
            group = texts[begin : begin + _GROUP]
            together = b"[%b]" % b",".join(group)
            events = self._clean(self._array, together) if len(together) <= MOST_BYTES - REQUEST_FRAME else None
            ids += map(self.id_of_event, group) if events is None else [event.id for event in events]
        return ids

    def _clean(self, decoder: msgspec.json.Decoder[Any], text: bytes) -> Any:  # noqa: ANN401 -- of a type made at run time
        try:
            value = decoder.decode(text)
        except _NOT_CLEAN:
            return None
        return value if kept_all(text, self._encode(value)) else None


def _union(catalog: Catalog, time: object) -> Any:  # noqa: ANN401 -- a type made at run time
    objects: dict[tuple[Field, ...], Any] = {}
    structs = [
        msgspec.defstruct(
            "Event",
            [
                ("id", _NotEmpty),
                ("time", time),
                ("user", _object(_members(each, Where.USER), objects)),
                ("properties", _object(_members(each, Where.PROPERTIES), objects)),
            ],
            tag_field="event_type",
            tag=each.name,
            forbid_unknown_fields=True,
            gc=False,
        )
        for each in _types(catalog)
    ]
    return reduce(operator.or_, structs[1:], structs[0])


def _types(catalog: Catalog) -> Iterable[EventType]:
    described = {CUSTOM_EVENT if catalog.custom_events else "", PURCHASE if catalog.purchase_properties else ""}
    return [each for each in catalog.events.values() if each.http and each.name not in described]


def _members(event_type: EventType, place: Where) -> tuple[Field, ...]:
    """The fields that may stand in `user` or in `properties` without a remark."""
    return tuple(field for field in fields_accepted(event_type, place).values() if field.until is None)


def _object(fields: tuple[Field, ...], made: dict[tuple[Field, ...], Any]) -> Any:  # noqa: ANN401 -- as above
    """The type of an object with these members; types share it where they share their fields."""
    if fields not in made:
        names = {f"field{number}": field.name for number, field in enumerate(fields)}
        made[fields] = msgspec.defstruct(
            "Members",
            [_member(attribute, field) for attribute, field in zip(names, fields, strict=True)],
            # What people call a field of their own need not be an identifier.
            rename=names,
            forbid_unknown_fields=True,
            omit_defaults=True,
            kw_only=True,
            gc=False,
        )
    return made[fields]


def _member(attribute: str, field: Field) -> tuple[str, Any] | tuple[str, Any, Any]:
    value: Any = Literal[field.enum] if field.enum else _TYPES[field.type]
    if is_external_user_id(field):
        return attribute, value if field.enum else _NotEmpty
    if field.expected:
        return attribute, value
    return attribute, value | None | UnsetType, UNSET
