"""What Braze says an event is: its type and its fields."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from td_currents_cli.catalog.suggest import nearest


class Where(StrEnum):
    """The object of an event that a field is a member of."""

    EVENT = "event"
    USER = "user"
    PROPERTIES = "properties"


class FieldType(StrEnum):
    """The type of a field's value. `int` and `long` are both JSON integers: Avro's 32 and 64 bits."""

    STRING = "string"
    INT = "int"
    LONG = "long"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRINGS = "array<string>"
    OBJECT = "object"


class Field(Struct, frozen=True, gc=False, kw_only=True):
    """One field of one event type.

    Attributes:
        name: as it stands in the payload.
        where: the object it is a member of.
        type: of its value; a field that is not required may also be null.
        required: never null or absent. Everything else is optional over HTTP.
        pii: Braze calls the value personal data.
        enum: the values it takes; empty where any value of the type will do.
        since: the Currents release that added it to its type; None where it came with the type itself.
        storage_only: in the storage export, not seen over HTTP: to be accepted there, never expected.
        http_only: sent over HTTP, not in the storage export.
        until: the Currents release that no longer sends it; None where it is still sent.
    """

    name: str
    where: Where
    type: FieldType
    required: bool = False
    pii: bool = False
    enum: tuple[str, ...] = ()
    since: str | None = None
    storage_only: bool = False
    http_only: bool = False
    until: str | None = None

    @property
    def expected(self) -> bool:
        """Whether an event that is sent over HTTP has to have it."""
        return self.required and not self.storage_only

    def as_dict(self) -> dict[str, object]:
        """The machine form, with the names `events.json` uses."""
        return {
            "name": self.name,
            "in": self.where,
            "type": self.type,
            "required": self.required,
            "pii": self.pii,
            "enum": self.enum,
            "since": self.since,
            "storage_only": self.storage_only,
            "http_only": self.http_only,
            "until": self.until,
        }


class EventType(Struct, frozen=True, kw_only=True, dict=True):
    """One event type of the catalogue.

    Attributes:
        name: the value of `event_type`.
        category: `customer_behavior`, `message_engagement`, `user_update` or `agent`.
        channel: what the event is about, told from its name; see `channel_of`.
        since: the Currents release it appeared in, `pre-1` for those older than numbered releases.
        storage: part of the export to cloud storage.
        http: sent over HTTP, and so to Treasure Data.
        description: one sentence on when Braze sends it.
        fields: members of the event itself, then of `user`, then of `properties`.
    """

    name: str
    category: str
    channel: str
    since: str
    storage: bool
    http: bool
    description: str
    fields: tuple[Field, ...]

    @cached_property
    def required(self) -> tuple[Field, ...]:
        """The required fields, in the order of `fields`."""
        return tuple(field for field in self.fields if field.required)

    def field(self, name: str, where: Where) -> Field | None:
        """The field of that name in that object, or None."""
        return self._by_place.get((where, name))

    def suggest_field(self, name: str, where: Where) -> str | None:
        """The field that an unknown name in that object was probably meant to be.

        Returns:
            A name in the same object; or `user.<name>` or `properties.<name>` for a field that belongs into the
            other object; or None when nothing is near.
        """
        near = nearest(name, tuple(field.name for field in self.fields if field.where is where), separator="_")
        if near is not None:
            return near
        for place in (Where.USER, Where.PROPERTIES):
            if place is not where and (place, name) in self._by_place:
                return f"{place}.{name}"
        return None

    def as_dict(self) -> dict[str, object]:
        """The machine form."""
        return {
            "event_type": self.name,
            "category": self.category,
            "channel": self.channel,
            "since": self.since,
            "storage": self.storage,
            "http": self.http,
            "description": self.description,
            "fields": [field.as_dict() for field in self.fields],
        }

    @cached_property
    def _by_place(self) -> Mapping[tuple[Where, str], Field]:
        return {(field.where, field.name): field for field in self.fields}


def channel_of(name: str) -> str:
    """What an event type is about: `email` for `users.messages.email.Open`, `canvas` for `users.canvas.Entry`.

    It is the first word of the name after `users`, `messages` and `behaviors`, its last word (what happened) left
    out. Types with nothing in between keep the broader word: `behaviors` for `users.behaviors.Purchase`, `users` for
    `users.UserOrphan`. `canvasstep` is said as `canvas`.
    """
    *words, _happened = name.split(".")
    about = [word for word in words if word not in {"users", "messages", "behaviors"}]
    channel = (about or words[-1:] or [name])[0]
    return "canvas" if channel == "canvasstep" else channel
