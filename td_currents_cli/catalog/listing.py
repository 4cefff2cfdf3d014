"""`tdcur events`: which event types there are, and what one of them carries."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar, Final

from td_currents_cli.catalog.columns import flat_columns
from td_currents_cli.catalog.constraints import Constraint
from td_currents_cli.catalog.create_table import create_table_sql
from td_currents_cli.catalog.event_types import EventType, Field
from td_currents_cli.catalog.events_file import Catalog, load
from td_currents_cli.catalog.json_schema import json_schema
from td_currents_cli.catalog.overlay import load_overlay
from td_currents_cli.catalog.type_schema import SchemaForm
from td_currents_cli.choices import Dialect, Names
from td_currents_cli.errors import UsageError
from td_currents_cli.names import table_name
from td_currents_cli.outcome import Outcome

ONE_TABLE: Final = "currents"
"""The table of several types together."""


class EventsView(StrEnum):
    """How much of the event types is shown to people; scripts always get all of it."""

    LIST = "list"
    FIELDS = "fields"


@dataclass(frozen=True, slots=True)
class EventsRequest:
    """What is asked of the catalogue.

    Attributes:
        pattern: the name of one event type, or a shell-style glob over names, whatever their case; None for all.
        overlay: a file with event types and fields that the catalogue does not have; see `overlay`.
        form: what a JSON Schema of the types refuses.
        dialect: of the statement that makes a table for them.
    """

    pattern: str | None = None
    overlay: Path | None = None
    form: SchemaForm = SchemaForm.TOLERANT
    dialect: Dialect = Dialect.TRINO


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOutcome(Outcome):
    """The event types asked for.

    Attributes:
        catalog: where they are from.
        events: in the order of the catalogue.
        view: one type was asked for by its name, or a list.
        form: what a JSON Schema of them refuses.
        dialect: of the statement that makes a table for them.
    """

    command: ClassVar[str] = "events"

    catalog: Catalog
    events: tuple[EventType, ...]
    view: EventsView
    form: SchemaForm
    dialect: Dialect

    @property
    def sent_over_http(self) -> int:
        """How many of the types arrive over HTTP, and so in Treasure Data."""
        return sum(event.http for event in self.events)

    def summary(self) -> dict[str, object]:
        """The release, and how many types were found."""
        return {
            "release": self.catalog.release,
            "released": self.catalog.released,
            "event_types": len(self.events),
            "sent_over_http": self.sent_over_http,
        }

    def data(self) -> dict[str, object]:
        """The types with their fields, and what is known of the data that people name themselves."""
        return {
            "events": [event.as_dict() for event in self.events],
            "custom_events": {name: _custom(fields) for name, fields in self.catalog.custom_events.items()},
            "purchase_properties": _custom(self.catalog.purchase_properties),
        }

    def json_schema(self, rules: Collection[Constraint]) -> dict[str, object]:
        """A JSON Schema of payloads with the types, by the rules of `validate`."""
        return json_schema(self.catalog, self.events, self.form, rules)

    def ddl(self) -> str:
        """The statement that makes a table for flat events of the types; that of one type is named for it."""
        table = table_name(self.events[0].name) if self.view is EventsView.FIELDS else ONE_TABLE
        return create_table_sql((table,), flat_columns(self.events, Names.STREAMING), self.dialect)


def run(request: EventsRequest) -> EventsOutcome:
    """Look up what was asked for.

    Raises:
        UsageError: no type has that name, or none matches the glob; or the overlay has not its form.
    """
    catalog = load_overlay(request.overlay) if request.overlay else load()
    view = EventsView.LIST
    if request.pattern is None:
        events = tuple(catalog.events.values())
    elif set(request.pattern) & set("*?["):
        events = _matching(catalog, request.pattern)
    else:
        events = (_named(catalog, request.pattern),)
        view = EventsView.FIELDS
    return EventsOutcome(catalog=catalog, events=events, view=view, form=request.form, dialect=request.dialect)


def _custom(fields: tuple[Field, ...]) -> list[dict[str, object]]:
    return [{name: value for name, value in field.as_dict().items() if name != "in"} for field in fields]


def _matching(catalog: Catalog, glob: str) -> tuple[EventType, ...]:
    found = tuple(event for name, event in catalog.events.items() if fnmatchcase(name.lower(), glob.lower()))
    if not found:
        raise UsageError(f"no event type matches '{glob}'", hint=_hint(catalog, glob.strip("*")))
    return found


def _named(catalog: Catalog, name: str) -> EventType:
    found = catalog.get(name)
    if found is None:
        raise UsageError(f"unknown event type '{name}'", hint=_hint(catalog, name))
    return found


def _hint(catalog: Catalog, name: str) -> str:
    near = catalog.suggest(name)
    if near is not None:
        return f"did you mean {near}?"
    if name and any(name.lower() in known.lower() for known in catalog.events):
        return f"tdcur events '*{name}*' lists the types with that in their name"
    return "tdcur events lists all types"
