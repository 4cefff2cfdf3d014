"""`tdcur events`: which event types there are, and what one of them carries."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import ClassVar

from td_currents_cli.catalog.event_types import EventType
from td_currents_cli.catalog.events_file import Catalog, load
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome


class View(StrEnum):
    """How much of the event types is shown to people; scripts always get all of it."""

    LIST = "list"
    FIELDS = "fields"


@dataclass(frozen=True, slots=True)
class EventsRequest:
    """What is asked of the catalogue.

    Attributes:
        pattern: the name of one event type, or a shell-style glob over names, whatever their case; None for all.
    """

    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOutcome(Outcome):
    """The event types asked for.

    Attributes:
        release: the Currents release the catalogue describes.
        released: the day of that release, `YYYY-MM-DD`.
        events: in the order of the catalogue.
        view: one type was asked for by its name, or a list.
    """

    command: ClassVar[str] = "events"

    release: str
    released: str
    events: tuple[EventType, ...]
    view: View

    @property
    def sent_over_http(self) -> int:
        """How many of the types arrive over HTTP, and so in Treasure Data."""
        return sum(event.http for event in self.events)

    def summary(self) -> dict[str, object]:
        """The release, and how many types were found."""
        return {
            "release": self.release,
            "released": self.released,
            "event_types": len(self.events),
            "sent_over_http": self.sent_over_http,
        }

    def data(self) -> dict[str, object]:
        """The types with their fields."""
        return {"events": [event.as_dict() for event in self.events]}


def run(request: EventsRequest) -> EventsOutcome:
    """Look up what was asked for.

    Raises:
        UsageError: no type has that name, or none matches the glob.
    """
    catalog = load()
    view = View.LIST
    if request.pattern is None:
        events = tuple(catalog.events.values())
    elif set(request.pattern) & set("*?["):
        events = _matching(catalog, request.pattern)
    else:
        events = (_named(catalog, request.pattern),)
        view = View.FIELDS
    return EventsOutcome(release=catalog.release, released=catalog.released, events=events, view=view)


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
