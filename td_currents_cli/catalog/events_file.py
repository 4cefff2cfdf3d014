"""The catalogue as it is kept in `events.json`, and how it is read.

The file says everything once:

- `fields`: what a field usually is, by its name. No name stands for fields of two objects.
- `groups`: names of fields that go together.
- `events`: each type lists its groups and its own fields; `except` says in what one of its fields (or all of one of
  its groups) differs from the usual. Every field of a type that is not sent over HTTP is `storage_only`.

The order of an event's fields means nothing to Braze; here they stand event, `user`, `properties`, and within each
as the file lists them, groups first.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from td_currents_cli.catalog.event_types import EventType, Field, FieldType, Where, channel_of
from td_currents_cli.catalog.suggest import completed, nearest

_FILE: Final = Path(__file__).with_name("events.json")
_PLACES: Final = list(Where)


class Catalog(Struct, frozen=True):
    """All event types that Braze is known to send.

    Attributes:
        release: the Currents release the catalogue describes.
        released: the day of that release, `YYYY-MM-DD`.
        events: by name, in the order of the file.
        groups: fields that often go together, as they usually are, by the name of the group.
        custom_events: what the `custom_properties` of a custom event hold, by the `name` of the event. Braze knows
            nothing of them: they come from an overlay. Their fields' `where` means nothing.
        purchase_properties: the same of the `purchase_properties` of all purchases.
    """

    release: str
    released: str
    events: Mapping[str, EventType]
    groups: Mapping[str, tuple[Field, ...]] = MappingProxyType({})
    custom_events: Mapping[str, tuple[Field, ...]] = MappingProxyType({})
    purchase_properties: tuple[Field, ...] = ()

    def get(self, name: str) -> EventType | None:
        """The event type of that name, or None."""
        return self.events.get(name)

    def suggest(self, name: str) -> str | None:
        """The known type that an unknown name was probably meant to be, or None when nothing is near."""
        names = tuple(self.events)
        return nearest(name, names, separator=".") or completed(name, names, separator=".")

    def __reduce__(self) -> tuple[Callable[..., "Catalog"], tuple[object, ...]]:
        # Read-only mappings do not pickle, and that is how other processes get the catalogue.
        values = msgspec.structs.astuple(self)
        return _restored, tuple(dict(value) if isinstance(value, MappingProxyType) else value for value in values)


def _restored(*values: object) -> Catalog:
    return Catalog(*(MappingProxyType(value) if isinstance(value, dict) else value for value in values))  # type: ignore[arg-type]  # what `astuple` gave


class _FieldDefinition(Struct, frozen=True, forbid_unknown_fields=True):
    where: Where = msgspec.field(name="in")
    type: FieldType
    required: bool = False
    pii: bool = False
    enum: tuple[str, ...] = ()
    since: str | None = None
    storage_only: bool = False
    http_only: bool = False


class _FieldException(Struct, frozen=True, forbid_unknown_fields=True):
    type: FieldType | UnsetType = UNSET
    required: bool | UnsetType = UNSET
    pii: bool | UnsetType = UNSET
    enum: tuple[str, ...] | UnsetType = UNSET
    since: str | UnsetType | None = UNSET
    storage_only: bool | UnsetType = UNSET
    http_only: bool | UnsetType = UNSET


class _EventDefinition(Struct, frozen=True, forbid_unknown_fields=True):
    category: str
    since: str
    storage: bool
    http: bool
    description: str
    fields: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exceptions: dict[str, _FieldException] = msgspec.field(name="except", default_factory=dict)


class _CatalogFile(Struct, frozen=True, forbid_unknown_fields=True):
    release: str
    released: str
    fields: dict[str, _FieldDefinition]
    groups: dict[str, tuple[str, ...]]
    events: dict[str, _EventDefinition]


@cache
def load() -> Catalog:
    """The catalogue that is part of this package; read once, then shared."""
    return decode(_FILE.read_bytes())


def decode(text: bytes) -> Catalog:
    """A catalogue from the text of a file in the form of `events.json`.

    Raises:
        msgspec.ValidationError: the text has not that form.
        KeyError: a type names a field or a group that the file does not define.
    """
    file = msgspec.json.decode(text, type=_CatalogFile)
    usual = {name: _default_field(name, definition) for name, definition in file.fields.items()}
    events = {name: _build_type(name, event, usual, file.groups) for name, event in file.events.items()}
    groups = {name: tuple(usual[member] for member in members) for name, members in file.groups.items()}
    return Catalog(file.release, file.released, MappingProxyType(events), MappingProxyType(groups))


def _default_field(name: str, definition: _FieldDefinition) -> Field:
    return Field(name=name, **msgspec.structs.asdict(definition))


def _build_type(
    name: str, event: _EventDefinition, usual: Mapping[str, Field], groups: Mapping[str, tuple[str, ...]]
) -> EventType:
    grouped = (field for group in event.groups for field in groups[group])
    fields = {field: usual[field] for field in (*grouped, *event.fields)}
    for excepted, exception in event.exceptions.items():
        changes = _changes(exception)
        for field in groups.get(excepted, (excepted,)):
            fields[field] = msgspec.structs.replace(fields[field], **changes)
    if not event.http:
        fields = {field: msgspec.structs.replace(found, storage_only=True) for field, found in fields.items()}
    return EventType(
        name=name,
        category=event.category,
        channel=channel_of(name),
        since=event.since,
        storage=event.storage,
        http=event.http,
        description=event.description,
        fields=in_order(fields.values()),
    )


def in_order(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Fields by the object they are members of: the event, `user`, `properties`; else in their order."""
    return tuple(sorted(fields, key=lambda field: _PLACES.index(field.where)))


def _changes(exception: _FieldException) -> dict[str, Any]:
    """What an exception says, without what it leaves as usual."""
    return {name: value for name, value in msgspec.structs.asdict(exception).items() if value is not UNSET}
