"""Where bytes come from: the paths a user gave, resolved before any work begins."""

import math
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from glob import glob, has_magic
from io import FileIO
from itertools import pairwise
from mmap import mmap
from pathlib import Path
from typing import BinaryIO, Final
from weakref import WeakValueDictionary

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.model import Code, Record
from td_currents_cli.patterns import pattern
from td_currents_cli.progress import Progress
from td_currents_cli.read.export_layout import PartFilter
from td_currents_cli.read.options import ENDINGS, FORMS, INGESTED, MAX_DOCUMENT_SIZE, OBJECT_STORES, Source, copy_error
from td_currents_cli.read.reader import contains_events, left_out, records

STDIN: Final = "-"

_TABLE_HINT: Final = "; only count, parse, reconcile and verify --ingested read tables (td://…)"

_SIZE: Final = pattern(r"(\d{1,15}(?:\.\d+)?) ?([KMGT]?)(I?)(B?)", re.ASCII | re.IGNORECASE)


def byte_size(value: str) -> int:
    """Return the bytes of a size such as `256MiB`, `2GB` or `100000`. Raises UsageError."""
    match = _SIZE.fullmatch(value.strip())
    size = 0
    if match is not None:
        step = 1000 if match[4] and not match[3] else 1024
        size = int(float(match[1]) * step ** " KMGT".index(match[2].upper() or " "))
    if not size:
        raise UsageError("--max-document-size is not a size", hint="Use bytes, or a number with a unit: 256MiB, 2GB.")
    return size


def sources(
    paths: Sequence[str] | None,
    *,
    max_document_size: int = MAX_DOCUMENT_SIZE,
    event_type: str | None = None,
    parts: PartFilter | None = None,
) -> list[Source]:
    """Resolve files, folders, globs, `-`, and addresses in object storage; no path at all means standard input.

    A folder stands for the files in it and its subfolders, sorted by name, that have one of `ENDINGS` or begin with
    events. A source with a note says which files are left out; names that begin with a dot always are, as in the
    shell's globs. Links to folders are not followed. Files that `parts` excludes are skipped, which a note says.

    Raises:
        InputError: a path does not exist, cannot be read, or stands for no file at all. All are named.
        UsageError: `-` is given twice.
    """
    given = list(paths or [STDIN])
    if given.count(STDIN) > 1:
        raise UsageError("standard input (-) is given twice", hint="Give it once.")
    missing: list[str] = []
    found = [source for path in given for source in _wanted(path, _resolve(path, missing), parts)]
    if missing:
        raise InputError("; ".join(missing), hint="Nothing was read. Fix the paths and run the command again.")
    for this, following in pairwise(source.stored for source in found if source.stored is not None):
        this.following = following
    return [replace(source, max_document_size=max_document_size, event_type=event_type) for source in found]


def _wanted(path: str, found: Iterable[Source], parts: PartFilter | None) -> Iterator[Source]:
    """Yield the sources that may contain wanted events, then a note about the number of the others."""
    skipped = 0
    for source in found:
        if parts is not None and source.note is None and parts.excludes(source.name):
            skipped += 1
        else:
            yield source
    if skipped:
        files = f"{skipped:,} file{'s' if skipped > 1 else ''}"
        note = f"{files} skipped: by event_type= and date= in their paths, they contain no wanted events"
        yield Source(path, Path(path), note=note, note_code=Code.SKIPPED)


def _resolve(path: str, missing: list[str]) -> Iterator[Source]:
    if path == STDIN:
        if sys.stdin is None:
            missing.append("standard input is closed")
        else:
            yield Source("<stdin>", None)
    elif not path:
        # `Path("")` would be the current folder, which nobody means by an empty shell variable.
        missing.append("'': an empty path")
    elif path.partition("://")[0] in OBJECT_STORES and "://" in path and not os.path.lexists(path):
        yield from _objects(path, missing)
    elif "://" in path and not os.path.lexists(path):
        # The query of a URL may contain a key.
        missing.append(f"{path.partition('?')[0]} is not a file{_TABLE_HINT}")
    elif has_magic(path) and not os.path.lexists(path):
        matches = sorted(glob(path, recursive=True))  # noqa: PTH207 -- Path.glob takes no absolute pattern
        if not matches:
            missing.append(f"{path}: no file matches")
        for match in matches:
            yield from _existing(match, missing)
    else:
        yield from _existing(path, missing)


def _existing(path: str, missing: list[str]) -> Iterator[Source]:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 -- the path as given: it may not be a valid Path
    except (FileNotFoundError, NotADirectoryError):
        missing.append(f"{path}: no such file or folder")
    except OSError as error:
        missing.append(f"{path}: {_reason(error)}")
    else:
        if stat.S_ISDIR(mode):
            yield from _folder(path, missing)
        elif os.access(path, os.R_OK):
            yield Source(path, Path(path))
        else:
            missing.append(f"{path}: permission denied")


def _folder(path: str, missing: list[str]) -> Iterator[Source]:
    refused: list[OSError] = []
    errors = len(missing)
    files: list[Path] = []
    skipped: list[str] = []
    for folder, folders, names in os.walk(path, onerror=refused.append):
        skipped += [f"{name}/" for name in folders if name.startswith(".")] + [n for n in names if n.startswith(".")]
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(folder, name) for name in names if not name.startswith(".")]
    missing.extend(f"{error.filename}: {_reason(error)}" for error in refused)
    # Pipes and sockets are not payload files; a broken link was meant to be one.
    others = [file for file in files if file.exists() and not file.is_file()]
    sources = [source for file in sorted({*files} - {*others}) for source in _existing(str(file), missing)]
    found, without_events = _with_events(sources)
    without_events += [file.name for file in others]
    if not found and len(missing) == errors:
        missing.append(f"{path}: {_NO_FILES}")
    if note := left_out(skipped, without_events):
        yield Source(path, Path(path), note=note)
    yield from found


_NO_FILES: Final = f"no payload files in this folder (looked for {', '.join(FORMS)}, and other events)"


def _with_events(sources: Iterable[Source]) -> tuple[list[Source], list[str]]:
    """Return the sources of a folder that are read, and the names of the others."""
    found: list[Source] = []
    without_events: list[str] = []
    for source in sources:
        name = source.name.rpartition("/")[2]
        if name.lower().endswith(ENDINGS) or contains_events(records([source], INGESTED)):
            found.append(source)
        else:
            without_events.append(name)
    return found, without_events


def _objects(url: str, missing: list[str]) -> Iterator[Source]:
    """Find objects as files are found: by name, by a glob, or as what is in a folder."""
    from td_currents_cli.read.object_storage import bucket_and_key  # noqa: PLC0415 -- needs an extra

    bucket, key = bucket_and_key(url)
    found = bucket.find(key)
    if not found:
        missing.append(f"{url}: no object matches" if has_magic(key) else f"{url}: no such object, and none below it")
    sources = [Source(each.name, None, stored=each) for each in found if not each.key.endswith("/")]
    note = None
    if found and not has_magic(key) and [each.key for each in found] != [key]:
        folder = f"{bucket.url}/{key}".removesuffix("/")
        hidden = [source for source in sources if "/." in source.name.removeprefix(folder)]
        sources, without_events = _with_events(source for source in sources if source not in hidden)
        note = left_out([source.name.rpartition("/")[2] for source in hidden], without_events)
        if not sources:
            missing.append(f"{url}: {_NO_FILES}")
    if note:
        yield Source(url, None, note=note)
    yield from sources


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


_COPY_SIZE: Final = 1 << 20


class RereadableSources(ExitStack):
    """Copies what can be read only once to temporary files, until it is closed."""

    def rereadable(self, sources: Iterable[Source]) -> list[Source]:
        """Return the same sources, by the same names, from files that can be read more than once.

        What cannot be read is left unchanged: its reader reports it.

        Raises:
            OutputError: a temporary file cannot be written.
        """
        return [self._rereadable(source) for source in sources]

    def _rereadable(self, source: Source) -> Source:
        if source.plain_size() is not None or (source.path is not None and not source.path.exists()):
            return source
        from tempfile import NamedTemporaryFile  # noqa: PLC0415 -- most sources can be read twice

        try:
            raw = source.open()
        except OSError:
            return source
        with closing(raw):
            try:
                file = self.enter_context(NamedTemporaryFile(prefix="tdcur-"))  # noqa: SIM115 -- closed with all
                file.writelines(_until_failure(raw))
                file.flush()
            except OSError as error:
                raise copy_error(source.name, error) from None
        return replace(source, path=Path(file.name), stored=None)


def _until_failure(raw: BinaryIO) -> Iterator[bytes]:
    with suppress(OSError):
        while piece := raw.read(_COPY_SIZE):
            yield piece


_ALIVE: Final[WeakValueDictionary[int, "InputProgress"]] = WeakValueDictionary()
"""A process that began as a copy of another one has a copy of each, with the same shared memory."""

_SLOTS: Final = 256  # more sources than are read at the same time
_REPORTED_EVERY: Final = 16  # records


def _same_progress(number: int) -> "InputProgress":
    return _ALIVE.get(number) or InputProgress()


class InputProgress:
    """How far the inputs of a run are read, in bytes. It costs a call per source and split, and nothing per record.

    What this process reads is followed through the open file, so that compressed files are measured, too. Of splits,
    other processes report the end. Of a whole source, they write into shared memory how far they are, if they began as
    copies of this process.
    """

    def __init__(self) -> None:
        _ALIVE[id(self)] = self
        self._process = os.getpid()
        self._numbers: dict[str, int] = {}  # of the sources
        self._elsewhere = memoryview(mmap(-1, _SLOTS * 8)).cast("d")  # bytes read by other processes
        self.stage = ""
        self.total = 0.0  # bytes; infinite where they are not known
        self._starts: dict[str, float] = {}  # bytes before each source
        self._raw: BinaryIO | None = None  # the file that is read
        self._begin = 0.0  # bytes before that file
        self._reached = 0.0  # bytes read once it is closed
        self._record = math.inf  # bytes before the record in work

    def __reduce__(self) -> tuple[Callable[[int], "InputProgress"], tuple[int]]:
        return _same_progress, (id(self),)

    def watched(self, sources: Iterable[Source]) -> list[Source]:
        """Return the same sources, which report how far they are read."""
        found = list(sources)
        for source in found:
            self._numbers.setdefault(source.name, len(self._numbers))
            self._starts.setdefault(source.name, self.total)
            self.total += _bytes(source)
        return [replace(source, progress=self) for source in found]

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the same records. What is read is then what comes before them, not what a buffer has taken."""
        for record in records:
            start = self._starts.get(record.location.source)
            self._record = math.inf if start is None else start + record.location.offset
            yield record

    def report(self, source: Source, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the same records of a whole source. A process that does not show the progress reports it."""
        if os.getpid() == self._process:
            yield from records
            return
        slot = self._slot(source)
        for number, record in enumerate(records):
            if number % _REPORTED_EVERY == 0 and self._raw is not None:
                # After the last record, the file is closed.
                with suppress(OSError, ValueError):
                    self._elsewhere[slot] = self._raw.tell()
            yield record

    def _slot(self, source: Source) -> int:
        return self._numbers.get(source.name, 0) % _SLOTS

    def follow(self, source: Source, raw: BinaryIO) -> None:
        """Measure how far this file is read."""
        self._begin = self._starts.get(source.name, 0.0)
        self._reached = self._begin + _bytes(source)
        self._raw = raw

    def reach(self, source: Source, offset: float = math.inf) -> None:
        """Record that another process has read a source up to here, or to its end."""
        self._raw = None
        self._elsewhere[self._slot(source)] = 0.0
        self._reached = self._starts.get(source.name, 0.0) + min(offset, _bytes(source))

    def begin(self, stage: str, file: BinaryIO) -> None:
        """Measure how far a temporary file is read, once the inputs are."""
        self.stage = stage
        self.total = self._reached = os.fstat(file.fileno()).st_size
        self._begin, self._record = 0.0, math.inf
        self._raw = FileIO(file.fileno(), closefd=False)

    @property
    def done(self) -> float:
        """Bytes that are read."""
        raw, done = self._raw, self._reached
        if raw is not None:
            # A closed file has been read to its end.
            with suppress(OSError, ValueError):
                done = self._begin + raw.tell()
        return min(done + sum(self._elsewhere), self._record)

    def now(self) -> Progress:
        total = self.total if 0 < self.total < math.inf else None
        done = self.done
        return Progress(done=done if done < math.inf else 0.0, total=total, unit="bytes", stage=self.stage)


def _bytes(source: Source) -> float:
    """Return the bytes of a source, infinite where that takes reading it."""
    if source.note is not None:
        return 0.0
    if source.stored is not None:
        return float(source.stored.size)
    with suppress(OSError, ValueError, AttributeError):
        status = os.fstat(sys.stdin.fileno()) if source.path is None else source.path.stat()
        if stat.S_ISREG(status.st_mode):
            return float(status.st_size)
    return math.inf
