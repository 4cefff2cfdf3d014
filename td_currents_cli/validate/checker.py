"""Checks batches: those without problems in one pass, the others event by event, with the place of each problem."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
from msgspec import Struct

from td_currents_cli.catalog import Catalog, FieldType, Where
from td_currents_cli.events.decode import split
from td_currents_cli.events.json import (
    Elements,
    elements_of,
    is_too_deep,
    kind_of,
    loads,
    place_in,
    too_deep,
    too_deep_at,
)
from td_currents_cli.model import Batch, Code, Location, Problem, Record, Severity
from td_currents_cli.read.formats.cell import EMPTY_BATCH, truncated_array
from td_currents_cli.validate.checks import MAX_LEVELS, EventFieldCheck, FieldCheck, check_destination, check_event_type
from td_currents_cli.validate.document_checks import TOO_DEEP, check_document, check_text, is_plain
from td_currents_cli.validate.fast_path import FastCheck
from td_currents_cli.validate.positions import (
    BatchPositions,
    EventLabel,
    ValuePositions,
    Violation,
    excerpt,
    in_source_order,
    unique_position,
)
from td_currents_cli.validate.rules import RULES

_event_decoder: Final = msgspec.json.Decoder(dict[str, Any])
_START: Final = Location("<event>", 1, 1)
_MAX_SEARCHES: Final = 50


class CheckResult(Struct, frozen=True, gc=False, kw_only=True):
    """The problems of one record."""

    location: Location  # of the batch
    events: int = 0  # elements of the batch, whether they are events or not
    ids: Sequence[str | None] = ()  # of its events; None for one without a valid id
    problems: Sequence[Problem] = ()  # in their order in the source
    is_row: bool = True  # a payload or an ingested row, not a problem of the source itself
    rejected: bool = False  # nothing of it could be read


class Checker:
    """Checks records against the rules, at a time in UNIX seconds. Without `fast`, the problems are the same."""

    def __init__(self, catalog: Catalog, now: int, *, fast: bool = True) -> None:
        self._catalog = catalog
        self._now = now
        self._rules = tuple(RULES.values())
        self._check_event_fields = EventFieldCheck(self._rules, now)
        self._check_fields = FieldCheck(catalog)
        self._fast = fast

    def __call__(self, record: Record) -> Iterator[CheckResult]:
        """Check a record: several results if it turns out to be several documents on one line."""
        if isinstance(record, Problem):
            is_row = record.raw is not None
            problem = msgspec.structs.replace(record, raw=None)
            yield CheckResult(location=record.location, problems=[problem], is_row=is_row, rejected=is_row)
            return
        ids = self._ids_if_clean(record)
        if ids is not None:
            yield CheckResult(location=record.location, events=len(ids), ids=ids)
        elif elements := _elements_of_array(record):
            yield self._checked(elements)
        else:
            yield from self._split(record)

    @cached_property
    def _fast_check(self) -> FastCheck | None:
        return FastCheck(self._catalog, self._rules, self._now) if self._fast else None

    @cached_property
    def _fast_error_check(self) -> FastCheck | None:
        errors = [rule for rule in self._rules if rule.severity is Severity.ERROR]
        return FastCheck(self._catalog, errors, self._now) if self._fast else None

    def fields_if_valid(self, document: bytes) -> list[tuple[str, str, int]] | None:
        """`id`, `event_type` and `time` of each event of a payload that surely has no errors; else None.

        After None, ask `errors_of` each event.
        """
        events = None if self._fast_error_check is None else self._fast_error_check.events_of_payload(document)
        return None if events is None else [(each.id, each.__struct_config__.tag, each.time) for each in events]

    def errors_of(self, event: bytes) -> list[Problem]:
        """The errors of a well-formed JSON value, an event or not, located from its start. Cheap if it has none."""
        if self._fast_error_check and self._fast_error_check.event(event) is not None:
            return []
        problems = self._checked(Elements(Batch(event, _START), [event])).problems
        return [problem for problem in problems if problem.severity is Severity.ERROR]

    def check_event(self, event: dict[str, Any], size: int = 0) -> Iterator[Violation]:
        """All violations of one event, except those that only its JSON shows. Its size is 0 if it does not matter."""
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
        if self._fast_check is None:
            return None
        is_payload = batch.location.row is None
        events_of = self._fast_check.events_of_payload if is_payload else self._fast_check.events_of_cell
        events = events_of(batch.data)
        return None if events is None else [event.id for event in events]

    def _split(self, batch: Batch) -> Iterator[CheckResult]:
        """Check what is not an array of events: one event, several documents on one line, or something unreadable."""
        if is_too_deep(batch.data):
            yield CheckResult(location=batch.location, problems=[_of_rejected(too_deep(batch), batch)], rejected=True)
            return
        decoded = split(batch)
        problems = [_of_rejected(problem, batch) for problem in decoded.problems]
        if decoded.documents:
            for document in decoded.documents:
                yield from self(document)
        elif decoded.rejected:
            yield CheckResult(location=batch.location, problems=problems, rejected=True)
        elif decoded.lost:
            complete = complete_elements(batch)
            (result,) = self(complete) if complete.data != EMPTY_BATCH else [CheckResult(location=batch.location)]
            yield msgspec.structs.replace(result, problems=[*result.problems, problems[-1]])
        else:
            yield self._checked(Elements(batch, [batch.data]))

    def _checked(self, elements: Elements) -> CheckResult:
        positions = BatchPositions(elements)
        ids: list[str | None] = [None] * len(positions.texts)
        if self._fast_check:
            ids = self._fast_check.ids_of_events(positions.texts)
        problems: list[Problem] = []
        levels = MAX_LEVELS - (0 if elements.pointer is None else 2 if elements.pointer else 1)
        for index, text in enumerate(positions.texts):
            if ids[index] is None:
                label, found = self._violations(text, levels, arrived=positions.batch.location.row is not None)
                problems += [positions.problem(each, byte, index, label) for byte, each in found]
                ids[index] = label.id
        of_document = [positions.problem(each, each.at or 0) for each in check_document(elements, positions.end)]
        if elements.pointer is None and positions.batch.array and positions.batch.location.row is None:
            of_document.append(bare_array_problem(positions.batch.array, 1))
        if of_document:
            problems = in_source_order([*of_document, *problems])
        return CheckResult(location=positions.batch.location, events=len(ids), ids=ids, problems=problems)

    def _violations(self, text: bytes, levels: int, *, arrived: bool) -> tuple[EventLabel, list[tuple[int, Violation]]]:
        """The label of an element, and its violations, with and in the order of their byte offsets."""
        deep_at = too_deep_at(text, levels)
        if deep_at is not None:
            return EventLabel(), [(deep_at, Violation(Code.TOO_DEEP, (), TOO_DEEP))]
        if not text.startswith(b"{"):
            message = f"an event must be an object, got {kind_of(text)}"
            return EventLabel(), [(0, Violation(Code.EVENT_NOT_OBJECT, (), message))]
        try:
            event = _event_decoder.decode(text)
            plain = is_plain(text, event)
        except msgspec.DecodeError:
            event, plain = loads(text), False
        found = [*self.check_event(event, 0 if arrived else len(text)), *(() if plain else check_text(text))]
        return EventLabel.of(event), sorted(zip(_offsets(text, found), found, strict=True), key=lambda item: item[0])


def _offsets(text: bytes, violations: Sequence[Violation]) -> Iterator[int]:
    # Each search for a unique name goes through the whole text: with many violations, its values are listed instead.
    is_listed = len(violations) > _MAX_SEARCHES
    positions: ValuePositions | None = None
    for violation in violations:
        if violation.at is not None:
            yield violation.at
        elif not is_listed and (found := unique_position(text, violation.path)):
            yield found[0 if violation.at_name else 1]
        else:
            positions = positions or ValuePositions(text, [each.path for each in violations])
            yield positions.find(violation.path, name=violation.at_name)


def bare_array_problem(array: Location, events: int) -> Problem:
    """The problem of an array of events without a batch: each of them has it, with a number of one."""
    number = "1 event" if events == 1 else f"{events:,} events"
    return Problem(
        code=Code.BARE_EVENT,
        severity=RULES[Code.BARE_EVENT].severity,
        location=array,
        message=f"an array of {number} instead of a batch",
        hint='Wrap the array for tools other than `tdcur`: `{"events": [ … ]}`.',
    )


def complete_elements(batch: Batch) -> Batch:
    """The complete elements of a truncated cell, events or not, as a well-formed batch."""
    left = truncated_array(batch.data)
    return Batch(b"[%b]" % b",".join(left.elements if left else ()), batch.location)


def _elements_of_array(batch: Batch) -> Elements | None:
    """The elements of a well-formed batch; None for a bare event, or anything else."""
    try:
        batch.data.decode()
        elements = None if is_too_deep(batch.data) else elements_of(batch)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return elements if isinstance(elements, Elements) and elements.pointer is not None else None


def _of_rejected(problem: Problem, batch: Batch) -> Problem:
    byte = problem.location.offset - batch.location.offset if batch.location.row is None else 0
    if problem.code is Code.TOO_DEEP:
        byte = too_deep_at(batch.data, MAX_LEVELS) or 0
        problem = msgspec.structs.replace(problem, location=place_in(batch, byte), message=TOO_DEEP)
    return msgspec.structs.replace(problem, raw=None, excerpt=excerpt(batch.data, byte))
