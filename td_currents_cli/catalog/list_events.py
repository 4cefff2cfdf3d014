"""`tdcur events`: list event types, or show the fields of one."""

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar, Final

import msgspec

from td_currents_cli.braze import table_name
from td_currents_cli.catalog.constraints import Rule
from td_currents_cli.catalog.ddl import create_table_sql, flat_columns
from td_currents_cli.catalog.json_schema import SchemaForm, json_schema
from td_currents_cli.catalog.loader import Catalog, load
from td_currents_cli.catalog.model import EventType, Field
from td_currents_cli.choices import Dialect, Names
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome

ONE_TABLE: Final = "currents"  # table of several types together
_WILDCARDS: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class EventsRequest:
    pattern: str | None = None  # name, or case-insensitive glob over names; None for all
    form: SchemaForm = SchemaForm.TOLERANT
    dialect: Dialect = Dialect.TRINO
    new_in: str | None = None  # a Currents release; only what it added


class EventsOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "events"

    catalog: Catalog
    events: tuple[EventType, ...]
    is_one: bool  # asked for by its name: people see its fields, scripts always get everything
    form: SchemaForm
    dialect: Dialect
    new_in: str | None = None  # a Currents release; then the events have only the fields that it added

    @property
    def sent_over_http(self) -> int:
        return sum(event.http for event in self.events)

    def summary(self) -> dict[str, object]:
        return {
            "release": self.catalog.release,
            "released": self.catalog.released,
            "event_types": len(self.events),
            "sent_over_http": self.sent_over_http,
        }

    def data(self) -> dict[str, object]:
        return {
            "events": msgspec.to_builtins(self.events),
            "custom_events": {name: _custom(fields) for name, fields in self.catalog.custom_events.items()},
            "purchase_properties": _custom(self.catalog.purchase_properties),
        }

    def json_schema(self, rules: Collection[Rule]) -> dict[str, object]:
        return json_schema(self.catalog, self.events, self.form, rules)

    def ddl(self) -> str:
        """Write the statement for a table of flat events; that of a single type has the name of the type."""
        table = table_name(self.events[0].name) if self.is_one else ONE_TABLE
        return create_table_sql((table,), flat_columns(self.events, Names.STREAMING), self.dialect)


def run(request: EventsRequest) -> EventsOutcome:
    """Look up event types by name or glob.

    Raises:
        UsageError: no type has that name or matches the glob, or the overlay is invalid.
    """
    catalog = load()
    pattern = request.pattern
    is_one = pattern is not None and _WILDCARDS.isdisjoint(pattern)
    if pattern is None:
        events = tuple(catalog.events.values())
    elif is_one:
        events = tuple(event for event in (catalog.get(pattern),) if event)
    else:
        events = tuple(event for name, event in catalog.events.items() if fnmatchcase(name.lower(), pattern.lower()))
    if pattern is not None and not events:
        why, name = ("unknown event type", pattern) if is_one else ("no event type matches", pattern.strip("*"))
        raise UsageError(f"{why} '{pattern}'", hint=_hint(catalog, name))
    if request.new_in is not None:
        events, is_one = _added(catalog, events, request.new_in), False
    return EventsOutcome(
        catalog=catalog,
        events=events,
        is_one=is_one,
        form=request.form,
        dialect=request.dialect,
        new_in=request.new_in,
    )


def _added(catalog: Catalog, events: tuple[EventType, ...], release: str) -> tuple[EventType, ...]:
    """Return the types that a release added, and those that it added fields to, with only these fields."""
    fields = {event.name: tuple(each for each in event.fields if each.since == release) for event in events}
    every = {event.since for event in catalog.events.values()}
    every |= {field.since for event in catalog.events.values() for field in event.fields if field.since}
    if release not in every:
        raise UsageError(
            f"no release '{release}' of Currents is in the catalog",
            hint=f"The catalog has release {catalog.release} and older ones: {', '.join(sorted(every, key=_number))}.",
        )
    added = (
        event if event.since == release else msgspec.structs.replace(event, fields=fields[event.name])
        for event in events
    )
    return tuple(event for event in added if event.since == release or event.fields)


def _number(release: str) -> int:
    return int(release) if release.isdecimal() else 0


def _custom(fields: tuple[Field, ...]) -> list[dict[str, object]]:
    return [{name: value for name, value in msgspec.to_builtins(field).items() if name != "in"} for field in fields]


def _hint(catalog: Catalog, name: str) -> str:
    near = catalog.suggest(name)
    if near is not None:
        return f"Did you mean {near}?"
    if name and any(name.lower() in known.lower() for known in catalog.events):
        return f"`tdcur events '*{name}*'` lists the types whose name contains it."
    return "`tdcur events` lists all types."
