"""A side of files: payloads, or ingested rows, or flat events, in every form that this program reads."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from td_currents_cli.events.decode import split
from td_currents_cli.events.lenient import loads
from td_currents_cli.events.stream import Intake
from td_currents_cli.model import Record
from td_currents_cli.outcome import Problems
from td_currents_cli.parallel.map import ChunkResult, map_records
from td_currents_cli.parallel.splits import is_splittable
from td_currents_cli.read import Source, records
from td_currents_cli.read.options import DEFAULT, ReadOptions
from td_currents_cli.read.spool import Spool
from td_currents_cli.reconcile.content import Contents
from td_currents_cli.reconcile.marks import Marks
from td_currents_cli.reconcile.outline import outline
from td_currents_cli.reconcile.scope import Scope
from td_currents_cli.reconcile.sheaf import Binder, Read
from td_currents_cli.reconcile.side import Bundle, Depth, Found, Look

HUGE: Final = 1 << 28
"""Bytes from which a file that cannot be read in stretches (a packed one, an array) is read a bit at a time."""

AT_ONCE: Final = 1000
"""Records that such a bit has."""


class FileSide:
    """Files, folders and pipes. What comes through a pipe is kept, for it is read again where there are differences.

    Args:
        sources: where the events are.
        options: whether rows are what is read.
        jobs: number of processes.
    """

    depth: Final = Depth.CONTENT
    has_events: Final = True

    def __init__(self, sources: Sequence[Source], options: ReadOptions = DEFAULT, *, jobs: int = 1) -> None:
        self._sources = sources
        self._options = options
        self._jobs = jobs
        self._spool = Spool()

    def bundles(self, scope: Scope, look: Look) -> Generator[Bundle]:
        """As Side. Large plain files are read by several processes.

        Raises:
            OutputError: what comes through a pipe cannot be kept.
        """
        self._sources = self._spool.keep(self._sources)
        for alone, sources in groupby(self._sources, _is_streamed):
            if alone:
                yield from _streamed(sources, self._options, Fingerprinting(scope, look))
                continue
            results = map_records(
                Fingerprinting,
                (scope, look),
                list(sources),
                options=self._options,
                jobs=self._jobs,
                whole_sources=True,
            )
            yield from map(_placed, results)

    def again(self, marks: Marks) -> Generator[Found]:
        """As Side."""
        first = 0
        for _batch, events in Intake().events(records(self._sources, self._options), split):
            for place in marks.within(first, len(events)):
                event = events[place]
                yield Found(first + place, _read(event)[0], bytes(event))
            first += len(events)
            if marks.is_past(first):
                return

    def close(self) -> None:
        """As Side."""
        self._spool.close()

    def reads(self, path: Path) -> bool:
        """As Side."""
        return any(_is_same(source, path) for source in self._sources)


class Fingerprinting:
    """Makes a bundle of the records of a source, or of a part of one; for `map_records`."""

    def __init__(self, scope: Scope, look: Look) -> None:
        self._scope = scope
        self._suspects = look.suspects
        self._content = _content(look)

    def __call__(self, records: Iterable[Record]) -> Bundle:
        """The fingerprints of the events of some records."""
        intake, binder = Intake(), Binder(self._scope, self._content, self._suspects)
        for _batch, events in intake.events(records, split):
            binder.add([_read(event) for event in events])
        tally = binder.tally
        used = tally.by_type.total() + tally.without_id.total()
        balance = intake.balance(events_out=used, filtered=tally.filtered + tally.too_young)
        return Bundle(binder.sheaves(), tally, balance, intake.log.result())


def _is_streamed(source: Source) -> bool:
    """Whether a source is so large, and of such a form, that all of its fingerprints at once are too many."""
    if source.path is None or not source.path.is_file() or source.path.stat().st_size < HUGE:
        return False
    return not is_splittable(source)


def _streamed(sources: Iterable[Source], options: ReadOptions, use: Fingerprinting) -> Iterator[Bundle]:
    for source in sources:
        rest = records([source], options)
        for record in rest:
            yield use(chain([record], islice(rest, AT_ONCE)))


def _placed(part: ChunkResult[Bundle]) -> Bundle:
    bundle = part.result
    problems = bundle.problems
    kept = tuple(part.placed(problem) for problem in problems.kept)
    placed = Problems(kept=kept, by_severity=problems.by_severity, unreadable=problems.unreadable)
    return replace(bundle, problems=placed)


class _Names(Struct, gc=False):
    id: Any = None
    event_type: Any = None
    time: Any = None


_names: Final = msgspec.json.Decoder(_Names)
_members: Final = msgspec.json.Decoder(dict[str, Any])


def _read(event: Raw) -> Read:
    try:
        names = _names.decode(event)
    except msgspec.DecodeError:
        members = loads(bytes(event))
        return members.get("id"), members.get("event_type"), members.get("time"), event
    return names.id, names.event_type, names.time, event


def _content(look: Look) -> Callable[[Raw], int]:
    if look.depth is Depth.OUTLINE:
        return outline
    return _as_written if look.suspects is None else _Members()


def _as_written(event: Raw) -> int:
    return int.from_bytes(blake2b(event, digest_size=8).digest(), "big") or 1


class _Members:
    """Digests of events that do not mind how they are written."""

    def __init__(self) -> None:
        self._contents = Contents()

    def __call__(self, event: Raw) -> int:
        try:
            members = _members.decode(event)
        except msgspec.DecodeError:
            members = loads(bytes(event))
        return self._contents(members)


def _is_same(source: Source, file: Path) -> bool:
    try:
        return source.path is not None and source.path.samefile(file)
    except OSError:
        return False
