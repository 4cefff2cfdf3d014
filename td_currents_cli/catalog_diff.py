"""`tdcur events --diff`: event types and fields that occur in data and are not in the catalog."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar, Final, TypeAlias

from msgspec import Struct, field

from td_currents_cli.braze import EVENT_FIELDS, PLACES, USER_FIELDS
from td_currents_cli.catalog import Catalog
from td_currents_cli.catalog.model import Where, fields_accepted
from td_currents_cli.events.decode import EventReader, split
from td_currents_cli.events.filter import EVERYTHING, EventFilter, Filter, iso, moment_of, usable_seconds
from td_currents_cli.events.json import loads
from td_currents_cli.model import Record
from td_currents_cli.outcome import Balance, Outcome, ProblemLog, Problems, exit_code_of
from td_currents_cli.parallel.map import map_records
from td_currents_cli.read import Source
from td_currents_cli.read.options import DEFAULT, ReadOptions

Name: TypeAlias = tuple[str | None, str | None]
"""An event type, and the dotted name of a field; no field if it is the type that is unknown."""

KnownFields: TypeAlias = Mapping[str, Mapping[str, frozenset[str] | None]]
"""The names in `user` and `properties` of each event type; None where any name is known."""


def known_fields(catalog: Catalog) -> KnownFields:
    return {
        name: {
            Where.USER: frozenset({*USER_FIELDS, *fields_accepted(event, Where.USER)}),
            Where.PROPERTIES: frozenset(fields_accepted(event, Where.PROPERTIES)) if event.fields_published else None,
        }
        for name, event in catalog.events.items()
    }


class Occurrence(Struct):
    """How often a name occurs, and first."""

    count: int = 0
    first: float | None = None  # earliest usable event time in UNIX seconds

    def add(self, count: int, first: float | None) -> None:
        self.count += count
        if first is not None and (self.first is None or first < self.first):
            self.first = first


class PartialDiff(Struct):
    names: dict[Name, Occurrence] = field(default_factory=dict)
    balance: Balance = Balance()
    problems: Problems = Problems()


class NameFinder:
    """Finds the unknown names in the records of one source, or of a part of one."""

    def __init__(self, known: KnownFields, wanted: Filter) -> None:
        self._known = known
        self._filter = EventFilter(wanted)

    def __call__(self, records: Iterable[Record]) -> PartialDiff:
        reader, names, filtered = EventReader(), dict[Name, Occurrence](), 0
        canaries_before = self._filter.canaries
        for _batch, events in reader.events(records, split):
            for text in events:
                event = loads(bytes(text))
                if not self._filter.keeps(event.get("event_type"), event.get("time")):
                    filtered += 1
                    continue
                for name in self._unknown(event):
                    names.setdefault(name, Occurrence()).add(1, usable_seconds(event.get("time")))
        out = reader.events_read - reader.events_rejected - reader.lost - filtered
        canaries = self._filter.canaries - canaries_before
        balance = reader.balance(events_out=out, filtered=filtered, canaries=canaries)
        return PartialDiff(names, balance, reader.log.result())

    def _unknown(self, event: dict[str, Any]) -> Sequence[Name]:
        event_type = event.get("event_type")
        if not isinstance(event_type, str) or event_type not in self._known:
            return [(event_type if isinstance(event_type, str) else None, None)]
        found = [] if event.keys() <= _EVENT_FIELDS else [*(event.keys() - _EVENT_FIELDS)]
        for place in PLACES:
            names, known = event.get(place), self._known[event_type][place]
            if isinstance(names, dict) and known is not None and not names.keys() <= known:
                found += [f"{place}.{name}" for name in names.keys() - known]
        return [(event_type, name) for name in found]


_EVENT_FIELDS: Final = frozenset(EVENT_FIELDS)


class CatalogDiffOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "events"

    release: str  # of the catalog
    names: Mapping[Name, Occurrence]  # the most frequent first
    balance: Balance

    def summary(self) -> dict[str, object]:
        return {
            "release": self.release,
            "events_read": self.balance.events_read,
            "canaries": self.balance.canaries,
            "unknown_types": sum(name is None for _, name in self.names),
            "unknown_fields": sum(name is not None for _, name in self.names),
        }

    def data(self) -> dict[str, object]:
        return {
            "unknown": [
                {"event_type": event_type, "field": name, "count": each.count, "first": iso(moment_of(each.first))}
                for (event_type, name), each in self.names.items()
            ]
        }


def run(
    catalog: Catalog,
    sources: Sequence[Source],
    wanted: Filter = EVERYTHING,
    options: ReadOptions = DEFAULT,
    *,
    jobs: int = 1,
) -> CatalogDiffOutcome:
    """Compare the names in all events with the catalog."""
    names, balance, log = dict[Name, Occurrence](), Balance(), ProblemLog()
    arguments = (known_fields(catalog), wanted)
    work = map_records(NameFinder, arguments, sources, options=options, jobs=jobs, whole_sources=True)
    with closing(work) as results:
        for part in results:
            for name, each in part.result.names.items():
                names.setdefault(name, Occurrence()).add(each.count, each.first)
            balance += part.result.balance
            log.merge(part.result.problems)
    problems = log.result()
    ordered = dict(sorted(names.items(), key=lambda each: (-each[1].count, str(each[0]))))
    return CatalogDiffOutcome(
        release=catalog.release,
        names=ordered,
        balance=balance,
        problems=problems,
        exit_code=exit_code_of(problems, balance),
    )
