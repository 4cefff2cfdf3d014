"""Files as a side: payloads, ingested rows, or flat events, in every input format."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Raw, Struct, structs

from td_currents_cli.events.decode import EventReader, split
from td_currents_cli.events.identified import is_identified
from td_currents_cli.events.json import loads
from td_currents_cli.model import Code, Problem, Record, Severity
from td_currents_cli.outcome import Balance
from td_currents_cli.parallel.map import map_records
from td_currents_cli.parallel.splits import is_splittable
from td_currents_cli.read import Source, records
from td_currents_cli.read.lines import LineChunk
from td_currents_cli.read.options import DEFAULT, ReadOptions
from td_currents_cli.read.sources import RereadableSources
from td_currents_cli.reconcile.content_hash import (
    UNKNOWN,
    content_digest,
    decoded,
    in_both_forms,
    outline,
    streaming_digest,
)
from td_currents_cli.reconcile.fingerprints import Bitmap, EventFields, Fingerprinter, TimeScope
from td_currents_cli.reconcile.side import CompareMode, Depth, FetchedEvent, SideChunk, SourceNames

STREAMED_BYTES: Final = 1 << 28
"""Size from which a file that cannot be split (compressed, or an array) is read in chunks of STREAMED_RECORDS."""

STREAMED_RECORDS: Final = 1000


class FileSide:
    """Files, folders and pipes. The contents of a pipe are stored, because they are read again if anything differs."""

    depth: Final = Depth.CONTENT
    streaming: Final = False

    def __init__(self, sources: Sequence[Source], options: ReadOptions = DEFAULT, *, jobs: int = 1) -> None:
        self._sources = sources
        self._options = options
        self._jobs = jobs
        self._rereadable = RereadableSources()

    @property
    def exported(self) -> bool:
        return any(source.name.lower().endswith(".avro") for source in self._sources)

    def chunks(self, scope: TimeScope, mode: CompareMode) -> Generator[SideChunk]:
        self._sources = self._rereadable.rereadable(self._sources)
        for alone, sources in groupby(self._sources, _is_streamed):
            if alone:
                yield from _streamed(sources, self._options, SourceFingerprinter(scope, mode))
                continue
            make, options, jobs = SourceFingerprinter, self._options, self._jobs
            results = map_records(make, (scope, mode), list(sources), options=options, jobs=jobs, whole_sources=True)
            for part in results:
                problems = part.result.problems
                placed = structs.replace(problems, kept=tuple(map(part.placed, problems.kept)))
                yield structs.replace(part.result, problems=placed)

    def fetch_again(self, marked: Bitmap) -> Generator[FetchedEvent]:
        first = 0
        for _batch, events in EventReader().events(records(self._sources, self._options), split):
            for place in marked.within(first, len(events)):
                event = events[place]
                yield FetchedEvent(first + place, _read(event)[0], bytes(event))
            first += len(events)
            if marked.is_past(first):
                return

    def close(self) -> None:
        self._rereadable.close()

    def reads(self, path: Path) -> bool:
        return any(_is_same(source, path) for source in self._sources)


class SourceFingerprinter:
    """Makes a chunk of the records of a source, or of a part of one."""

    def __init__(self, scope: TimeScope, mode: CompareMode) -> None:
        self._scope = scope
        self._mode = mode
        self._content = _content(mode)

    def __call__(self, records: Iterable[Record]) -> SideChunk:
        sources = SourceNames()
        intake = EventReader(lambda problem: sources.failed.add(problem.location.source))
        batches = intake.events(_watched(records, sources), split)
        found = ((batch.location.source, batch.is_streaming, batch.is_export, events) for batch, events in batches)
        return self._chunk(found, intake, sources)

    def fast(self, chunks: Iterable[LineChunk]) -> SideChunk:
        """Make a chunk of lines. Raises IrregularError."""
        intake = EventReader()
        found = ((chunk.source, False, False, intake.events_of_lines(chunk, split.of_lines)) for chunk in chunks)
        return self._chunk(found, intake, SourceNames())

    def _chunk(
        self, found: Iterable[tuple[str, bool, bool, list[Raw]]], intake: EventReader, sources: SourceNames
    ) -> SideChunk:
        fingerprinter = Fingerprinter(self._scope, self._content, self._mode.suspects, per_id=self._mode.per_id)
        for source, is_streaming, is_export, events in found:
            sources.read.add(source)
            sources.streaming |= is_streaming
            sources.exported |= is_export
            for optional, some in self._by_need(events, is_export=is_export):
                if self._mode.streaming:
                    read = [(*_read(event)[:3], (event, is_streaming)) for event in some]
                else:
                    read = [_read(event) for event in some]
                fingerprinter.add(read, received=is_streaming, optional=optional)
        counts = fingerprinter.counts
        balance = intake.balance(events_out=counts.in_scope, filtered=counts.left_out)
        return SideChunk(fingerprinter.batches(), counts, balance, intake.log.result(), sources)

    def _by_need(self, events: Sequence[Raw], *, is_export: bool) -> Iterable[tuple[bool, Iterable[Raw]]]:
        """Return runs of events that need not, or have to arrive: Braze does not send anonymous users' events."""
        if not is_export or self._mode.expect_anonymous:
            return [(False, events)]
        return groupby(events, lambda event: not is_identified(event))


def _watched(records: Iterable[Record], sources: SourceNames) -> Iterator[Record]:
    for record in records:
        if isinstance(record, Problem) and record.severity is Severity.ERROR and record.code is not Code.EMPTY_INPUT:
            names = sources.truncated if record.code is Code.UNREADABLE else sources.failed
            names.add(record.location.source)
        elif isinstance(record, Problem) and record.code is Code.LEFT_OUT:
            sources.left_out = True
        yield record


def _is_streamed(source: Source) -> bool:
    """Whether a source is too large for all of its fingerprints at once, and cannot be split."""
    if source.path is None or not source.path.is_file() or source.path.stat().st_size < STREAMED_BYTES:
        return False
    return not is_splittable(source)


def _streamed(sources: Iterable[Source], options: ReadOptions, use: SourceFingerprinter) -> Iterator[SideChunk]:
    for source in sources:
        rest = records([source], options)
        for record in rest:
            yield use(chain([record], islice(rest, STREAMED_RECORDS)))


class _EnvelopeFields(Struct, gc=False):
    id: Any = None
    event_type: Any = None
    time: Any = None


_envelope: Final = msgspec.json.Decoder(_EnvelopeFields)


def _read(event: Raw) -> EventFields:
    try:
        envelope = _envelope.decode(event)
    except msgspec.DecodeError:
        fields = loads(bytes(event))
        return fields.get("id"), fields.get("event_type"), fields.get("time"), event
    return envelope.id, envelope.event_type, envelope.time, event


def _content(mode: CompareMode) -> Callable[[Any], int]:
    if mode.depth is Depth.OUTLINE:
        return outline
    if mode.suspects is None and not mode.exported:
        return _as_written

    fields_of = (lambda event: in_both_forms(decoded(event))) if mode.exported else decoded

    def hash_both(event: tuple[Raw, bool]) -> int:
        """The upper half of the digest of the content, 0 for a streaming row; and that of what such a row keeps."""
        fields = fields_of(event[0])
        return (0 if event[1] else content_digest(fields) >> 32 or 1) << 32 | streaming_digest(fields)

    return hash_both if mode.streaming else lambda event: content_digest(fields_of(event))


def _as_written(event: Raw) -> int:
    return int.from_bytes(blake2b(event, digest_size=8).digest(), "big") or 1


def _is_same(source: Source, file: Path) -> bool:
    try:
        return source.path is not None and source.path.samefile(file)
    except OSError:
        return False


Delivered: TypeAlias = Callable[[Path], Iterable[Sequence[tuple[str | None, str | None, object]]]]
"""Reads a journal: batches of (id, event_type, time) of delivered events, the same on each call."""


class JournalSide:
    depth: Final = Depth.IDS
    streaming: Final = False
    exported: Final = False

    def __init__(self, path: Path, delivered: Delivered) -> None:
        self._path = path
        self._delivered = delivered

    def chunks(self, scope: TimeScope, mode: CompareMode) -> Generator[SideChunk]:
        for batch in self._delivered(self._path):
            fingerprinter = Fingerprinter(scope, lambda _: UNKNOWN, mode.suspects, per_id=mode.per_id)
            fingerprinter.add([(event_id, event_type, time, None) for event_id, event_type, time in batch])
            counts = fingerprinter.counts
            balance = Balance(rows_read=1, events_read=len(batch), events_out=counts.in_scope, filtered=counts.left_out)
            yield SideChunk(fingerprinter.batches(), counts, balance)

    def fetch_again(self, marked: Bitmap) -> Generator[FetchedEvent]:
        first = 0
        for batch in self._delivered(self._path):
            for place in marked.within(first, len(batch)):
                yield FetchedEvent(first + place, batch[place][0] or "")
            first += len(batch)
            if marked.is_past(first):
                return

    def reads(self, path: Path) -> bool:
        return os.path.realpath(path) == os.path.realpath(self._path)

    def close(self) -> None:
        pass
