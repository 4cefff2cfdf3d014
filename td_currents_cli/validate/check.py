"""Batches checked: the clean ones in one pass, the others event by event, each remark with its place."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
from msgspec import Struct

from td_currents_cli.catalog import Catalog, FieldType, Where
from td_currents_cli.codes import Code
from td_currents_cli.events.decode import complete_events, split
from td_currents_cli.events.elements import Elements, elements_of, kind_of
from td_currents_cli.events.lenient import loads
from td_currents_cli.model import Batch, Location, Problem, Record, Severity
from td_currents_cli.validate.clean import FastCheck
from td_currents_cli.validate.destination import check_destination
from td_currents_cli.validate.document import check_document
from td_currents_cli.validate.envelope import EventFieldCheck
from td_currents_cli.validate.excerpt import excerpt
from td_currents_cli.validate.extent import Extent, Named, in_text_order
from td_currents_cli.validate.fields import FieldCheck, check_event_type
from td_currents_cli.validate.finding import Violation
from td_currents_cli.validate.limits import MAX_LEVELS
from td_currents_cli.validate.locate import Places, only_place
from td_currents_cli.validate.nesting import too_deep_at
from td_currents_cli.validate.rules import RULES
from td_currents_cli.validate.text import check_text, is_plain

_event: Final = msgspec.json.Decoder(dict[str, Any])
_BEGIN: Final = Location("<event>", 1, 1)


class Checked(Struct, frozen=True, gc=False, kw_only=True):
    """What was found in one record.

    Attributes:
        location: of the batch.
        events: how many elements it has, events or not.
        ids: of its events, in their order; None for what has no usable one.
        problems: in the order of the text.
        is_row: it stands for a payload document or an ingested row, not for a remark on the source.
        rejected: nothing of it could be read.
    """

    location: Location
    events: int = 0
    ids: Sequence[str | None] = ()
    problems: Sequence[Problem] = ()
    is_row: bool = True
    rejected: bool = False


class Checker:
    """Checks records against the rules.

    Args:
        catalog: the event types and their fields.
        now: UNIX seconds; later times are in the future.
        fast: whether what is clean is passed by the fast way. The findings are the same without it.
    """

    def __init__(self, catalog: Catalog, now: int, *, fast: bool = True) -> None:
        self._catalog = catalog
        self._now = now
        self._rules = tuple(RULES.values())
        self._check_event_fields = EventFieldCheck(self._rules, now)
        self._check_fields = FieldCheck(catalog)
        self._fast = fast

    def __call__(self, record: Record) -> Iterator[Checked]:
        """What was found in a record: more than one result where it turns out to be several documents on one line."""
        if isinstance(record, Problem):
            is_row = record.raw is not None
            problem = msgspec.structs.replace(record, raw=None)
            yield Checked(location=record.location, problems=[problem], is_row=is_row, rejected=is_row)
            return
        ids = self._ids_if_clean(record)
        if ids is not None:
            yield Checked(location=record.location, events=len(ids), ids=ids)
        elif deep := _too_deep(record):
            yield Checked(location=record.location, problems=[deep], rejected=True)
        elif elements := _elements_of_array(record):
            yield self._diagnosed(elements)
        else:
            yield from self._split(record)

    @cached_property
    def _clean(self) -> FastCheck | None:
        return FastCheck(self._catalog, self._rules, self._now) if self._fast else None

    @cached_property
    def _sound(self) -> FastCheck | None:
        errors = [rule for rule in self._rules if rule.severity is Severity.ERROR]
        return FastCheck(self._catalog, errors, self._now) if self._fast else None

    def kept_if_sound(self, document: bytes) -> list[tuple[str, str, int]] | None:
        """`id`, `event_type` and `time` of each event of a payload that surely has no errors.

        None where that takes a closer look: ask `errors_of` each event.
        """
        events = None if self._sound is None else self._sound.events_of_payload(document)
        return None if events is None else [(each.id, each.__struct_config__.tag, each.time) for each in events]

    def errors_of(self, event: bytes) -> list[Problem]:
        """The errors of one event, and no lesser remarks. Costs little for one that is clean.

        Args:
            event: a well-formed JSON value, an event or not. Line and column count from its beginning.
        """
        if self._sound and self._sound.event(event) is not None:
            return []
        batch = Batch(event, _BEGIN)
        deep = _too_deep(batch)
        problems = [deep] if deep else self._diagnosed(Elements(batch, [event])).problems
        return [problem for problem in problems if problem.severity is Severity.ERROR]

    def check_event(self, event: dict[str, Any], size: int = 0) -> Iterator[Violation]:
        """All remarks on one event but those that only its text shows.

        Args:
            event: as decoded.
            size: bytes of the event as it stands; 0 where no request has to hold it.
        """
        name = event.get("event_type")
        event_type = self._catalog.get(name) if isinstance(name, str) else None
        time = event_type.field("time", Where.EVENT) if event_type else None
        time_may_be_string = time is not None and time.type is FieldType.STRING
        yield from self._check_event_fields(event, time_may_be_string=time_may_be_string)
        if isinstance(name, str) and name:
            yield from check_event_type(self._catalog, name)
        if event_type is not None:
            yield from self._check_fields(event, event_type)
        yield from check_destination(event, event_type, size)

    def _ids_if_clean(self, batch: Batch) -> Sequence[str | None] | None:
        if self._clean is None:
            return None
        is_payload = batch.location.row is None
        events = (self._clean.events_of_payload if is_payload else self._clean.events_of_cell)(batch.data)
        return None if events is None else [event.id for event in events]

    def _split(self, batch: Batch) -> Iterator[Checked]:
        """What is no array of events: one event, several documents on one line, or nothing that can be read."""
        decoded = split(batch)
        if decoded.documents:
            for document in decoded.documents:
                yield from self(document)
        elif decoded.rejected:
            problems = [_of_rejected(problem, batch) for problem in decoded.problems]
            yield Checked(location=batch.location, problems=problems, rejected=True)
        elif decoded.lost:
            problems = [_of_rejected(problem, batch) for problem in decoded.problems]
            whole = self(complete_events(decoded, batch)) if decoded.events else [Checked(location=batch.location)]
            for checked in whole:
                yield msgspec.structs.replace(checked, problems=[*checked.problems, *problems])
        else:
            yield self._diagnosed(Elements(batch, [batch.data]))

    def _diagnosed(self, elements: Elements) -> Checked:
        extent = Extent(elements)
        ids: list[str | None] = [None] * len(extent.texts)
        if self._clean:
            ids = self._clean.ids_of_events(extent.texts)
        problems: list[Problem] = []
        for index, text in enumerate(extent.texts):
            if ids[index] is None:
                event, found = self._findings(text, arrived=extent.batch.location.row is not None)
                problems += [extent.problem_of_event(index, event, finding, byte) for byte, finding in found]
                ids[index] = event.id
        of_document = [extent.problem(finding, finding.at or 0) for finding in check_document(elements, extent.end)]
        if of_document:
            problems = in_text_order([*of_document, *problems])
        return Checked(location=extent.batch.location, events=len(ids), ids=ids, problems=problems)

    def _findings(self, text: bytes, *, arrived: bool) -> tuple[Named, list[tuple[int, Violation]]]:
        """What one element is called by, and the remarks on it in the order of the bytes they are about."""
        if not text.startswith(b"{"):
            return Named(), [(0, Violation(Code.EVENT_NOT_OBJECT, (), f"an event is an object, found {kind_of(text)}"))]
        event, plain = _decoded(text)
        findings = [*self.check_event(event, 0 if arrived else len(text)), *(() if plain else check_text(text))]
        return Named.of(event), sorted(zip(_places(text, findings), findings, strict=True), key=lambda item: item[0])


def _places(text: bytes, findings: Sequence[Violation]) -> Iterator[int]:
    """The byte of an event that each remark is about."""
    places: Places | None = None
    for finding in findings:
        if finding.at is not None:
            yield finding.at
        elif found := only_place(text, finding.path):
            yield found[0 if finding.at_name else 1]
        else:
            places = places or Places(text, [each.path for each in findings])
            yield places.find(finding.path, name=finding.at_name)


def _too_deep(batch: Batch) -> Problem | None:
    byte = too_deep_at(batch.data)
    if byte is None:
        return None
    finding = Violation(Code.TOO_DEEP, (), f"more than {MAX_LEVELS} arrays and objects stand in one another")
    return Extent(Elements(batch, [batch.data])).problem(finding, byte)


def _elements_of_array(batch: Batch) -> Elements | None:
    """The elements of a well-formed batch, unless it is one event by itself or no batch at all."""
    try:
        batch.data.decode()
        elements = elements_of(batch)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return elements if isinstance(elements, Elements) and elements.pointer is not None else None


def _of_rejected(problem: Problem, batch: Batch) -> Problem:
    byte = problem.location.offset - batch.location.offset if batch.location.row is None else 0
    return msgspec.structs.replace(problem, raw=None, excerpt=excerpt(batch.data, byte))


def _decoded(text: bytes) -> tuple[dict[str, Any], bool]:
    """A well-formed JSON object as Python values, and whether its text surely shows no more than these."""
    try:
        event = _event.decode(text)
    except msgspec.DecodeError:
        return loads(text), False
    return event, is_plain(text, event)
