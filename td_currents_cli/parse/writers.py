"""Flat events as a table, from a temporary file that holds them until all columns are known."""

import os
import secrets
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from msgspec import Struct

from td_currents_cli.braze import table_name
from td_currents_cli.catalog import FieldType, load
from td_currents_cli.choices import Mask, Names, To
from td_currents_cli.errors import ExitCode, OutputError, TdcurError
from td_currents_cli.events.flatten import full_name
from td_currents_cli.events.json import string_of
from td_currents_cli.model import Problem
from td_currents_cli.outcome import Balance
from td_currents_cli.parse.columns import MAX_UNKNOWN, ColumnStats, columns_of, fields_of, select_fields
from td_currents_cli.parse.request import ParseRequest, Rejects
from td_currents_cli.parse.transform import TransformedChunk
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.flat import type_of_cells
from td_currents_cli.write.files import atomic_output, write_all
from td_currents_cli.write.formats import FORMS, SAFE_CSV, json_line

_COLUMN_TYPES: Final = {"int": "long", "long": "long", "float": "number", "boolean": "boolean"}
_KINDS_READ: Final = {"boolean": {"boolean"}, "long": {"long", "huge"}, "number": {"long", "huge", "number", "other"}}
_UNICODE_ESCAPE: Final = pattern(rb"\\u")
_SURROGATE: Final = pattern("[\ud800-\udfff]")
_HELD_KINDS: Final = {"boolean": {"boolean"}, "long": {"long", "huge"}, "number": {"long", "number"}}
"""Kinds of values (see `kind_of_value`) that a column of each type holds without loss; a string holds all."""


class Losses(Struct):
    """What a table cannot hold."""

    replaced: int = 0  # events with lone surrogates
    untyped: dict[str, None] = {}  # columns whose values come back with another type
    others: str | None = None  # the column of all fields that have none

    def notes(self, to: To) -> Iterator[str]:
        form = "Parquet" if to is To.PARQUET else to.upper()
        if self.replaced:
            have = "1 event has" if self.replaced == 1 else f"{self.replaced:,} events have"
            yield f"{have} lone surrogates, which {form} cannot encode: written as \\udXXX"
        if self.others:
            yield f"over {MAX_UNKNOWN:,} fields are not in the catalog: column `{self.others}` has the others as JSON"
        if self.untyped:
            some = ", ".join(f"`{name}`" for name in islice(self.untyped, 3))
            more = f" and {len(self.untyped) - 3:,} more" if len(self.untyped) > 3 else ""
            yield f"{form} does not keep the types of the values in {some}{more}; JSON Lines do"


class SpooledTable:
    """Flat events as JSON Lines in a temporary file (in `TMPDIR`), and their columns.

    A table begins with the names of its columns, which are only known after the last event. Memory does not grow with
    the input; the disk holds the events twice while the command runs.
    """

    def __init__(self, lines: BinaryIO | None = None) -> None:
        self._stats = ColumnStats()
        self._stats.add(lines or ())
        self._file = lines or tempfile.TemporaryFile()  # noqa: SIM115 -- closed by this object's own exit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, chunk: TransformedChunk) -> None:
        """Raises OutputError if the disk is full."""
        self._stats.merge(chunk.columns)
        try:
            self._file.writelines(chunk.lines.pieces)
        except OSError as error:
            raise OutputError(
                f"cannot keep the events in a temporary file: {error.strerror}",
                hint="Free some space, or set TMPDIR to a larger disk.",
            ) from None

    def write(self, output: BinaryIO, request: ParseRequest, losses: Losses) -> None:
        columns, others = columns_of(self._stats, request.names, with_personal=request.mask is not Mask.DROP)
        if request.fields:
            columns, others = request.fields, None
        losses.others = others or losses.others
        types = _types(columns, self._stats, request) if request.to is To.PARQUET else None
        self._file.seek(0)
        if request.progress is not None:
            request.progress.begin("writing", self._file)
        if types is not None:
            from td_currents_cli.write.formats import write_parquet  # noqa: PLC0415 -- heavy, and an extra

            write_parquet(output, types, self._values(types, others, losses), other_fields=others)
        else:
            form = SAFE_CSV if request.safe_csv else FORMS[request.to]
            write_all(output, form.row(columns))
            for event, cells in self._rows(columns, others, with_kinds=request.fields is not None):
                losses.replaced += request.to is To.CSV and _has_lone_surrogates(event, cells)
                write_all(output, form.row(map(cells.get, columns)))
        for name in columns:
            read = _kinds_read(name, request.names) | (_HELD_KINDS.get(types[name], {"string"}) if types else set())
            if not self._stats.kinds.get(name, set()) <= read:
                losses.untyped[name] = None

    def _rows(
        self, columns: Collection[str], others: str | None, *, with_kinds: bool = False
    ) -> Iterator[tuple[bytes, dict[str, str | None]]]:
        known = frozenset(columns)
        for event in self._file:
            fields = fields_of(event)
            if with_kinds:
                fields = {name: fields[name] for name in columns if name in fields}
                self._stats.add_kinds(fields.items())
            cells = {name: _cell(bytes(value)) for name, value in fields.items()}
            if others is not None:
                rest = tuple(name for name, cell in cells.items() if cell is not None and name not in known)
                cells[others] = select_fields(event, rest).decode() if rest else None
            yield event, cells

    def _values(self, types: dict[str, str], others: str | None, losses: Losses) -> Iterator[tuple[int, list[Any]]]:
        for event, cells in self._rows(types, others):
            losses.replaced += _has_lone_surrogates(event, cells)
            values = {name: _typed(cell, types.get(name, "string")) for name, cell in cells.items()}
            yield len(event), [values.get(name) for name in types]


def _has_lone_surrogates(event: bytes, cells: Mapping[str, str | None]) -> bool:
    return bool(_UNICODE_ESCAPE.search(event)) and any(
        _SURROGATE.search(f"{name}{cell}") for name, cell in cells.items()
    )


def _kinds_read(name: str, names: Names) -> set[str]:
    """The kinds of values that come back unchanged from a column of CSV or TSV."""
    kind = type_of_cells(name, streaming=names is Names.STREAMING)
    if kind in {FieldType.STRINGS, FieldType.STRINGS_AND_NULLS, FieldType.OBJECT}:
        return {"nested"}
    return _KINDS_READ.get(_COLUMN_TYPES.get(kind or "", ""), {"string"})


def _cell(value: bytes) -> str | None:
    """The content of a string, None for null, all else as it is written."""
    if value.startswith(b'"'):
        # Few strings have escapes.
        return string_of(value) if b"\\" in value else value[1:-1].decode()
    return None if value == b"null" else value.decode()


def _typed(cell: str | None, column_type: str) -> Any:  # noqa: ANN401 -- of the type of the column
    if cell is None or column_type == "string":
        return cell if cell is None or cell.isascii() else cell.encode(errors="backslashreplace").decode()
    if column_type == "long":
        return int(cell)
    return float(cell) if column_type == "number" else cell == "true"


def _types(columns: tuple[str, ...], stats: ColumnStats, request: ParseRequest) -> dict[str, str]:
    """The type of each column: one from the catalog that holds all its values, else string, so that nothing is lost."""
    cataloged: dict[str, set[str]] = {}
    for event in load().events.values():
        for field in event.fields:
            name = full_name(field.where, field.name, request.names)
            cataloged.setdefault(name, set()).add(_COLUMN_TYPES.get(field.type, "string"))
    types: dict[str, str] = {}
    for name in columns:
        kinds = stats.kinds.get(name, set())
        # A column that the catalog does not know has the type of its values, if there are any.
        possible = cataloged.get(name, _HELD_KINDS.keys() if kinds else ())
        fitting = (each for each, held in _HELD_KINDS.items() if each in possible and kinds <= held)
        types[name] = next(fitting, "string")
    return types


MAX_OPEN: Final = 16
"""Files open at a time; one more closes the least recently written one."""


class TypeFiles:
    """Files of flat events in a temporary folder. Leaving it as a context manager closes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self.stem_of_type: dict[str, str] = {}  # names of the files, without their ends

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        while self._open:
            # The first error counts; with its files open, the folder might not be removed.
            with suppress(OSError) if error else nullcontext():
                self._open.popitem()[1].close()

    def write(self, event_type: str, lines: bytes) -> None:
        """Write events of a type to its file. If two types give the same file name, the second one ends in `_2`."""
        stem = self.stem_of_type.get(event_type)
        if stem is None:
            plain, taken = table_name(event_type), self.stem_of_type.values()
            stem = next(name for name in chain([plain], (f"{plain}_{n}" for n in count(2))) if name not in taken)
            self.stem_of_type[event_type] = stem
        file = self._open.pop(stem, None)
        if file is None:
            if len(self._open) >= MAX_OPEN:
                self._open.popitem(last=False)[1].close()
            file = self.path(stem).open("ab")
        self._open[stem] = file
        write_all(file, lines)

    def path(self, stem: str) -> Path:
        return self._folder / f"{stem}.part"


@contextmanager
def appearing_together(out_dir: Path) -> Iterator[tuple[Path, Callable[[Path, str], None]]]:
    """A temporary folder to write files in, and a function that sets the final name of each. Raises OutputError."""
    final: list[tuple[Path, Path]] = []
    new: list[Path] = []
    work = out_dir / f".tdcur-{secrets.token_hex(8)}.tmp"
    created = not out_dir.exists()
    try:
        work.mkdir(parents=True)
        yield work, lambda path, name: final.append((path, out_dir / name))
        for path, name in final:
            is_new = not name.exists()
            path.replace(name)
            if is_new:
                new.append(name)
    except BaseException as error:
        shutil.rmtree(work, ignore_errors=True)
        for name in new:
            with suppress(OSError):
                name.unlink()
        if created:
            with suppress(OSError):
                os.rmdir(out_dir)  # noqa: PTH106 -- only when it is empty
        if isinstance(error, OSError):
            raise OutputError(f"cannot write to {out_dir}: {error.strerror or type(error).__name__}") from error
        raise
    shutil.rmtree(work, ignore_errors=True)


_MIN_ROWS: Final = 1000
"""Rows after which a percentage is checked before all rows are read."""


class TooManyRejectsError(TdcurError):
    """More was rejected than `--max-rejects` allows: the data has problems, and no events are written."""

    exit_code = ExitCode.FINDINGS


def check_rejects(limit: Rejects | None, balance: Balance, *, finished: bool) -> None:
    """Raises TooManyRejectsError if more has been rejected than is allowed."""
    if limit is None:
        return
    rejected, read = balance.rejects, balance.rows_read + balance.events_rejected
    over_number = limit.number is not None and rejected > limit.number
    over_share = limit.share is not None and rejected > limit.share * read and (finished or read >= _MIN_ROWS)
    if over_number or over_share:
        allowed = f"{limit.number:,}" if limit.share is None else f"{limit.share * 100:g} %"
        what = "rejected or truncated" if balance.rows_truncated else "rejected"
        raise TooManyRejectsError(
            f"stopped after {balance.rows_read:,} rows: {rejected:,} {what}, but --max-rejects is {allowed}",
            hint="No events were written to a file. Use --rejects FILE to save what was rejected, with the reasons.",
        )


@contextmanager
def rejects_file(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """What writes lines to the rejects file. The file is created even if nothing is rejected.

    It is kept if TooManyRejectsError stops the run.
    """
    if path is None:
        yield lambda _lines: None
        return
    stopped = None
    with atomic_output(path) as output:
        try:
            yield output.write
        except TooManyRejectsError as error:
            stopped = error
    if stopped is not None:
        raise stopped


def reject_line(problem: Problem) -> bytes:
    """A rejected record with the reason, as a line of the rejects file. Bytes that are not UTF-8 are escaped."""
    place = problem.location
    line = {
        "source": place.source,
        "row": place.row,
        "line": place.line,
        "column": place.column,
        "offset": place.offset,
        "code": problem.code,
        "reason": problem.message,
        "raw": (problem.raw or b"").decode(errors="backslashreplace"),
    }
    return json_line(line)
