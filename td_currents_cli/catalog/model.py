"""Event types and their fields."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Final

from msgspec import Struct, field

from td_currents_cli.suggestions import nearest


class Where(StrEnum):
    """The object that contains a field: the event itself, or one of its two objects."""

    EVENT = "event"
    USER = "user"
    PROPERTIES = "properties"


class FieldType(StrEnum):
    """The type of a field's value. `int` and `long` are JSON integers: Avro's 32 and 64 bits."""

    STRING = "string"
    INT = "int"
    LONG = "long"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRINGS = "array<string>"
    STRINGS_AND_NULLS = "array<string|null>"
    OBJECT = "object"


class Field(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A field of one event type; its attributes have the names of `events.json`, which are also those of its JSON."""

    name: str
    where: Where = field(name="in")
    type: FieldType  # a field that is not required may also be null
    required: bool = False  # never null or absent
    pii: bool = False  # Braze classifies the value as personal data
    enum: tuple[str, ...] = ()  # allowed values; empty if any value of the type is allowed
    since: str | None = None  # the Currents release that added it; None if it came with the event type
    storage_only: bool = False  # in the storage export, not seen over HTTP: accepted there, never expected
    http_only: bool = False  # sent over HTTP, not in the storage export
    until: str | None = None  # the Currents release that no longer sends it; None if it is still sent

    @property
    def expected(self) -> bool:
        """Whether every event sent over HTTP must have it."""
        return self.required and not self.storage_only


class EventType(Struct, frozen=True, kw_only=True, dict=True):
    name: str = field(name="event_type")
    category: str  # such as `customer_behavior`, `message_engagement` or `user_update`
    channel: str  # see `channel_of`
    since: str  # the Currents release that added it; `pre-1` if older than numbered releases
    storage: bool  # part of the export to cloud storage
    http: bool  # sent over HTTP, and therefore to Treasure Data
    description: str  # when Braze sends it, in one sentence
    fields_published: bool = True  # if not, Braze has named the type, but not its fields: none is unknown
    known_names: tuple[str, ...] = ()  # of properties that Braze mentions without their types
    may_hold_personal_data: tuple[str, ...] = ()  # of these, strings that people wrote
    anonymous: bool = False  # it may have no user
    fields: tuple[Field, ...]  # those of the event, of `user`, then of `properties`

    def field(self, name: str, where: Where) -> Field | None:
        return self._by_place.get((where, name))

    def suggest_field(self, name: str, where: Where) -> str | None:
        """Suggest a field for an unknown name.

        Returns:
            A name in the same object; `user.<name>` or `properties.<name>` if the field belongs to the other object;
            or None if no name is similar.
        """
        near = nearest(name, tuple(field.name for field in self.fields if field.where is where), separator="_")
        if near is not None:
            return near
        for place in (Where.USER, Where.PROPERTIES):
            if place is not where and (place, name) in self._by_place:
                return f"{place}.{name}"
        return None

    @cached_property
    def _by_place(self) -> Mapping[tuple[Where, str], Field]:
        return {(field.where, field.name): field for field in self.fields}


def channel_of(name: str) -> str:
    """Derive the channel: `email` for `users.messages.email.Open`, `canvas` for `users.canvas.Entry`.

    It is the first word of the name after `users`, `messages` and `behaviors`, without the last word. Types with
    nothing in between keep the broader word: `behaviors` for `users.behaviors.Purchase`, `users` for
    `users.UserOrphan`. `canvasstep` becomes `canvas`.
    """
    *words, _happened = name.split(".")
    about = [word for word in words if word not in {"users", "messages", "behaviors"}]
    channel = (about or words[-1:] or [name])[0]
    return "canvas" if channel == "canvasstep" else channel


OTHER: Final = {Where.USER: Where.PROPERTIES, Where.PROPERTIES: Where.USER}


def fields_accepted(event_type: EventType, place: Where) -> dict[str, Field]:
    """The fields that `user` or `properties` may have, by name.

    Those of the storage export are accepted in both: they are never seen over HTTP, so their place is unknown.
    """
    either = [field for field in event_type.fields if field.storage_only and field.where is OTHER[place]]
    here = [field for field in event_type.fields if field.where is place]
    return {field.name: field for field in (*either, *here)}
