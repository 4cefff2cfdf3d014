"""The careful checks of an event: the fields of every event, those of its type, and what the destination requires."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.braze import (
    CANARY,
    CUSTOM_EVENT,
    EMPTY_PAYLOAD,
    EVENT_FIELDS,
    MAX_BYTES,
    MAX_EVENT_BYTES,
    PURCHASE,
)
from td_currents_cli.catalog import Catalog, EventType, Field, FieldType, Where
from td_currents_cli.catalog.constraints import JSON_TYPES
from td_currents_cli.catalog.model import OTHER, fields_accepted
from td_currents_cli.model import Code
from td_currents_cli.patterns import pattern
from td_currents_cli.validate.positions import Violation
from td_currents_cli.validate.rules import Rule

COLUMN_NAME: Final = r"^[a-z_][a-z0-9_]{0,127}\Z"
"""Names that a column can have (Treasure Data: names of columns)."""

MAX_LEVELS: Final = 500
"""Nested levels of arrays and objects: half of what Python's own parser, orjson and Jackson read."""

MAX_NAME: Final = 200  # characters of a name that are shown in a message


def kind_of(value: object) -> str:
    """The type of a JSON value, for a message: never the value itself."""
    if isinstance(value, float):
        return "a number with a fraction or an exponent"
    name = JSON_TYPES[type(value)]
    return name if value is None else f"{'an' if name[0] in 'aio' else 'a'} {name}"


def shortened(name: str) -> str:
    """A name for a message, which stays readable however long the name is."""
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


_EXPECTED: Final = {
    FieldType.STRING: "a string",
    FieldType.INT: "an integer",
    FieldType.LONG: "an integer",
    FieldType.FLOAT: "a number",
    FieldType.BOOLEAN: "a boolean",
    FieldType.STRINGS: "an array of strings",
    FieldType.STRINGS_AND_NULLS: "an array of strings and nulls",
    FieldType.OBJECT: "an object",
}

IS_TYPE: Final[dict[FieldType, Callable[[Any], bool]]] = {
    FieldType.STRING: lambda value: value is None or isinstance(value, str),
    FieldType.INT: lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    FieldType.LONG: lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    FieldType.FLOAT: lambda value: value is None or (isinstance(value, int | float) and not isinstance(value, bool)),
    FieldType.BOOLEAN: lambda value: value is None or isinstance(value, bool),
    FieldType.STRINGS: lambda value: value is None or _are(value, str),
    FieldType.STRINGS_AND_NULLS: lambda value: value is None or _are(value, str | None),
    FieldType.OBJECT: lambda value: value is None or isinstance(value, dict),
}
"""Whether a value is of a type, or null. An integer is a valid float: JSON does not tell them apart."""


def _are(value: object, types: UnionType | type) -> bool:
    return isinstance(value, list) and all(isinstance(item, types) for item in value)


class EventFieldCheck:
    """Of each of the five fields, the first condition that its value breaks; and all other fields of the event."""

    def __init__(self, rules: Collection[Rule], now: int) -> None:
        self._now = now
        self._limits = {
            name: [(rule.code, limit) for rule in rules for limit in rule.limits if limit.field == name]
            for name in EVENT_FIELDS
        }

    def __call__(self, event: Mapping[str, Any], *, time_may_be_string: bool) -> Iterator[Violation]:
        for name, limits in self._limits.items():
            value = event.get(name)
            if time_may_be_string and name == "time" and isinstance(value, str):
                continue
            for code, limit in limits:
                if limit.refuses(value, self._now):
                    path = () if value is None else (name,)
                    yield Violation(code, path, limit.message.format(found=kind_of(value)), limit.hint)
                    break
        for name in event:
            if name not in EVENT_FIELDS:
                message = f"unexpected top-level field `{shortened(name)}` in the event"
                yield Violation(Code.UNKNOWN_MEMBER, (name,), message, at_name=True)


def check_event_type(catalog: Catalog, name: str) -> Iterator[Violation]:
    path = ("event_type",)
    event_type = catalog.get(name)
    if name == CANARY:
        return
    if event_type is None:
        near = catalog.suggest(name)
        hint = f"Did you mean `{near}`?" if near else ""
        yield Violation(Code.UNKNOWN_EVENT_TYPE, path, f"unknown event type `{shortened(name)}`", hint)
    elif not event_type.http:
        yield Violation(Code.STORAGE_ONLY_TYPE, path, f"`{name}` is sent to the storage export only, never over HTTP")


class FieldCheck:
    """Finds missing, misplaced, wrongly typed and unknown fields of `user` and `properties`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._expected: dict[str, Sequence[_Expected]] = {}

    def __call__(self, event: Mapping[str, Any], event_type: EventType) -> Iterator[Violation]:
        if event_type.name not in self._expected:
            self._expected[event_type.name] = [_Expected.of(event_type, place) for place in OTHER]
        for expected in self._expected[event_type.name]:
            values = event.get(expected.name)
            if isinstance(values, dict):
                yield from _missing(values, expected.required, (expected.name,))
                for name, value in values.items():
                    field = expected.fields.get(name)
                    if field is None:
                        yield from _unknown(event_type, expected.place, name)
                    elif field.until is not None or field.enum or not expected.is_type[name](value):
                        yield from _value(field, value, (expected.name, name))
        properties = event.get("properties")
        if isinstance(properties, dict):
            if event_type.name == CUSTOM_EVENT and isinstance(name := properties.get("name"), str):
                yield from _described(properties, "custom_properties", self._catalog.custom_events.get(name, ()))
            elif event_type.name == PURCHASE:
                yield from _described(properties, "purchase_properties", self._catalog.purchase_properties)


class _Expected(Struct, frozen=True, kw_only=True):
    """What the catalog lists for `user` or `properties`, looked up once per event type."""

    place: Where
    name: str
    required: Sequence[Field]
    fields: Mapping[str, Field]
    is_type: Mapping[str, Callable[[Any], bool]]

    @classmethod
    def of(cls, event_type: EventType, place: Where) -> "_Expected":
        fields = fields_accepted(event_type, place)
        return cls(
            place=place,
            name=place.value,
            required=[field for field in event_type.fields if field.where is place and field.expected],
            fields=fields,
            is_type={name: IS_TYPE[field.type] for name, field in fields.items()},
        )


def _described(properties: Mapping[str, Any], name: str, fields: Sequence[Field]) -> Iterator[Violation]:
    """Check custom data that the user's own catalog describes."""
    data = properties.get(name)
    if isinstance(data, dict):
        path = ("properties", name)
        yield from _missing(data, fields, path)
        for field in fields:
            if field.name in data:
                yield from _value(field, data[field.name], (*path, field.name))
    elif data is None and any(field.expected for field in fields):
        yield _missing_field(properties, name, ("properties",))


def _missing(values: Mapping[str, Any], fields: Sequence[Field], path: tuple[str, ...]) -> Iterator[Violation]:
    for field in fields:
        if field.expected and values.get(field.name) is None:
            yield _missing_field(values, field.name, path)


def _missing_field(values: Mapping[str, Any], name: str, path: tuple[str, ...]) -> Violation:
    below = (*path, name)
    if name in values:
        return Violation(Code.FIELD_MISSING, below, f"required field `{'.'.join(below)}` is null")
    return Violation(Code.FIELD_MISSING, path, f"required field `{'.'.join(below)}` is missing")


def _unknown(event_type: EventType, place: Where, name: str) -> Iterator[Violation]:
    path = (place.value, name)
    if not event_type.fields_published:
        return
    if event_type.field(name, OTHER[place]):
        message = f"`{place}.{name}` belongs in `{OTHER[place]}`"
        yield Violation(Code.MISPLACED_FIELD, path, message, at_name=True)
        return
    near = event_type.suggest_field(name, place)
    hint = f"Did you mean `{near}`?" if near else ""
    yield Violation(Code.UNKNOWN_FIELD, path, f"unknown field `{place}.{shortened(name)}`", hint, at_name=True)


def _value(field: Field, value: object, path: tuple[str, ...]) -> Iterator[Violation]:
    name = ".".join(path)
    if field.until is not None:
        message = f"`{name}` is no longer sent since release {field.until}"
        yield Violation(Code.FIELD_GONE, path, message, at_name=True)
    if field.type in _ELEMENTS and isinstance(value, list):
        accepted, expected = _ELEMENTS[field.type]
        for index, item in enumerate(value):
            if not isinstance(item, accepted):
                message = f"`{name}[{index}]` must be {expected}, got {kind_of(item)}"
                yield Violation(Code.FIELD_TYPE, (*path, index), message)
                # The others will be alike.
                return
    elif not IS_TYPE[field.type](value):
        yield Violation(Code.FIELD_TYPE, path, f"`{name}` must be {_EXPECTED[field.type]}, got {kind_of(value)}")
    elif field.enum and value is not None and value not in field.enum:
        hint = f"one of {', '.join(field.enum)}"
        yield Violation(Code.VALUE_NOT_IN_SET, path, f"`{name}` has a value outside the documented set", hint)


_ELEMENTS: Final[Mapping[FieldType, tuple[UnionType | type, str]]] = {
    FieldType.STRINGS: (str, "a string"),
    FieldType.STRINGS_AND_NULLS: (str | None, "a string or null"),
}


EXTERNAL_USER_ID: Final = "external_user_id"

_COLUMN: Final = pattern(COLUMN_NAME)


def check_destination(event: Mapping[str, Any], event_type: EventType | None, size: int) -> Iterator[Violation]:
    """Check the user, the size in bytes and the names of custom properties."""
    user = event.get("user")
    is_needed = event_type is None or needs_external_user_id(event_type)
    if is_needed and isinstance(user, dict) and not user.get(EXTERNAL_USER_ID):
        path = ("user", EXTERNAL_USER_ID) if EXTERNAL_USER_ID in user else ("user",)
        yield Violation(Code.NO_EXTERNAL_USER_ID, path, "the user has no `external_user_id`")
    if size + len(EMPTY_PAYLOAD) > MAX_BYTES:
        message = f"the event has {size:,} bytes: a request with it exceeds {MAX_BYTES:,} bytes"
        yield Violation(Code.EVENT_TOO_LARGE, (), message)
    if size > MAX_EVENT_BYTES:
        message = f"the event has {size:,} bytes: Braze drops events over {MAX_EVENT_BYTES:,} bytes"
        yield Violation(Code.EVENT_DROPPED, (), message)
    properties = event.get("properties")
    if event_type is not None and isinstance(properties, dict):
        for field in event_type.fields:
            custom = properties.get(field.name) if field.type is FieldType.OBJECT else None
            for name in custom if isinstance(custom, dict) else ():
                if not _COLUMN.match(name):
                    message = f"`{shortened(name)}` is not a valid column name"
                    yield Violation(Code.COLUMN_NAME, ("properties", field.name, name), message, at_name=True)


def needs_external_user_id(event_type: EventType) -> bool:
    """Whether Braze's Treasure Data export leaves out events of this type without it: those of a user who has one."""
    field = None if event_type.anonymous else event_type.field(EXTERNAL_USER_ID, Where.USER)
    return field is not None and not field.storage_only and field.until is None
