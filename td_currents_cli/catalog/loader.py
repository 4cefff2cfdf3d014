"""Loader of the catalog in `events.json`.

The file has no repetitions:

- `fields`: the defaults of a field, by name. A name belongs to one object only.
- `groups`: names of fields that occur together.
- `events`: each type lists its groups and its own fields; `except` overrides the defaults of a field, or of all fields
  of a group. Every field of a type that is not sent over HTTP is `storage_only`. The properties of a type with
  `"fields_published": false` are not known yet.

The order of an event's fields has no meaning to Braze; here they are sorted by event, `user`, `properties`, and then
as in the file, groups first.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct

from td_currents_cli.catalog.model import EventType, Field, Where, channel_of
from td_currents_cli.suggestions import MAX_LENGTH, completed, nearest

_FILE: Final = Path(__file__).with_name("events.json")
_PLACES: Final = list(Where)


class Catalog(Struct, frozen=True):
    release: str  # the Currents release
    released: str  # its date, `YYYY-MM-DD`
    events: Mapping[str, EventType]  # in the order of the file
    groups: Mapping[str, tuple[Field, ...]] = MappingProxyType({})  # with the default fields
    # From an overlay: fields of `custom_properties` by the name of the custom event, and of `purchase_properties`. The
    # `where` of these fields has no meaning.
    custom_events: Mapping[str, tuple[Field, ...]] = MappingProxyType({})
    purchase_properties: tuple[Field, ...] = ()

    def get(self, name: str) -> EventType | None:
        return self.events.get(name)

    def suggest(self, name: str) -> str | None:
        """Suggest an event type for an unknown name, or None if no name is similar."""
        if len(name) > MAX_LENGTH:
            return None
        names = tuple(self.events)
        if any(character in name for character in "*?["):
            return self._suggest_glob(name)
        return nearest(name, names, separator=".") or completed(name, names, ".")

    def _suggest_glob(self, glob: str) -> str | None:
        """Suggest a glob in which words that no event type has are replaced by similar ones."""
        words = tuple(dict.fromkeys(word for name in self.events for word in name.split(".")))
        known = {word.lower() for word in words}
        parts = glob.split(".")
        for place, part in enumerate(parts):
            if part.isalnum() and part.lower() not in known:
                parts[place] = nearest(part, words, separator=".") or part
        better = ".".join(parts)
        is_match = any(fnmatchcase(name.lower(), better.lower()) for name in self.events)
        return better if is_match and better != glob else None

    def __reduce__(self) -> tuple[Callable[..., "Catalog"], tuple[object, ...]]:
        # Worker processes receive the catalog by pickle, which does not support read-only mappings.
        values = msgspec.structs.astuple(self)
        return _restored, tuple(dict(value) if isinstance(value, MappingProxyType) else value for value in values)


def _restored(*values: object) -> Catalog:
    return Catalog(*(MappingProxyType(value) if isinstance(value, dict) else value for value in values))  # type: ignore[arg-type]  # what `astuple` gave


class _EventDefinition(Struct, frozen=True, forbid_unknown_fields=True):
    category: str
    since: str
    storage: bool
    http: bool
    description: str
    fields: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exceptions: dict[str, dict[str, Any]] = msgspec.field(name="except", default_factory=dict)
    fields_published: bool = True
    known_names: tuple[str, ...] = ()
    may_hold_personal_data: tuple[str, ...] = ()
    anonymous: bool = False


class _CatalogFile(Struct, frozen=True, forbid_unknown_fields=True):
    release: str
    released: str
    fields: dict[str, dict[str, Any]]
    groups: dict[str, tuple[str, ...]]
    events: dict[str, _EventDefinition]


@cache
def load_builtin() -> Catalog:
    return decode(_FILE.read_bytes())


@cache
def load() -> Catalog:
    """Load the catalog with the additions of the file that `TDCUR_CATALOG` names, if there is one.

    Raises:
        UsageError: the file cannot be read, or is invalid.
    """
    path = os.environ.get("TDCUR_CATALOG")
    if not path:
        return load_builtin()
    from td_currents_cli.catalog.overlay import load_overlay  # noqa: PLC0415 -- it imports this module

    return load_overlay(Path(path))


def decode(text: bytes) -> Catalog:
    """Decode a file in the format of `events.json`.

    Raises:
        msgspec.ValidationError: the format is wrong.
        KeyError: a type uses an undefined field or group.
    """
    file = msgspec.json.decode(text, type=_CatalogFile)
    defaults = {name: msgspec.convert({"name": name, **field}, Field) for name, field in file.fields.items()}
    events = {name: _build_type(name, event, defaults, file.groups) for name, event in file.events.items()}
    groups = {name: tuple(defaults[member] for member in members) for name, members in file.groups.items()}
    return Catalog(file.release, file.released, MappingProxyType(events), MappingProxyType(groups))


def _build_type(
    name: str, event: _EventDefinition, defaults: Mapping[str, Field], groups: Mapping[str, tuple[str, ...]]
) -> EventType:
    attributes = msgspec.structs.asdict(event)
    grouped = (field for group in attributes.pop("groups") for field in groups[group])
    fields = {field: defaults[field] for field in (*grouped, *attributes.pop("fields"))}
    for excepted, changes in attributes.pop("exceptions").items():
        for field in groups.get(excepted, (excepted,)):
            fields[field] = msgspec.convert({**msgspec.to_builtins(fields[field]), **changes}, Field)
    if not event.http:
        fields = {field: msgspec.structs.replace(found, storage_only=True) for field, found in fields.items()}
    return EventType(name=name, channel=channel_of(name), fields=in_order(fields.values()), **attributes)


def in_order(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Sort fields by their object: the event, `user`, `properties`."""
    return tuple(sorted(fields, key=lambda field: _PLACES.index(field.where)))
