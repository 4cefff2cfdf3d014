"""An input, how it is read where its contents do not decide, and how it was read."""

import io
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

from msgspec import Struct

from td_currents_cli.choices import Names
from td_currents_cli.errors import OutputError
from td_currents_cli.model import Code
from td_currents_cli.patterns import pattern

if TYPE_CHECKING:
    from td_currents_cli.read.object_storage import StoredObject
    from td_currents_cli.read.received import ReceiveTimes
    from td_currents_cli.read.sources import InputProgress

MAX_DOCUMENT_SIZE: Final = 1 << 28
"""Bytes of a payload, row, event or cell by default: a larger one is an error, not a process out of memory."""

FORMS: Final = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".msgpack", ".parquet", ".avro")
COMPRESSIONS: Final = ("", ".gz", ".zst", ".bz2", ".xz")
ENDINGS: Final = tuple(form + compression for form in FORMS for compression in COMPRESSIONS)
"""Files of a folder or an archive that are read in any case. Of the others, those with events are."""

OBJECT_STORES: Final = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
"""Object storage that is read, by the scheme of its addresses."""

COLUMN: Final = "events"
"""The column of the Postback connector's tables that contains a batch (Treasure Data's Postback API)."""


class _Pipe(io.FileIO):
    """A file whose position is the number of bytes that have been read."""

    _position = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size) or b""
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position


@dataclass(frozen=True, slots=True)
class Source:
    """One input."""

    name: str  # the path as the user gave it, or `<stdin>`
    path: Path | None  # None for standard input, and for an object
    empty: str | None = None  # the warning where nothing is in it; None where that is an error
    note: str | None = None  # for a folder: says what in it is not read; the files that are have sources of their own
    note_code: Code = Code.LEFT_OUT
    stored: "StoredObject | None" = None  # in object storage
    max_document_size: int = MAX_DOCUMENT_SIZE
    event_type: str | None = None  # of its events, if it is Avro and its path does not tell
    progress: "InputProgress | None" = field(default=None, compare=False, repr=False)  # told how far it is read

    def open(self) -> BinaryIO:
        """Open the raw bytes, unbuffered where possible."""
        if self.stored is not None:
            return self.stored.open()
        if self.path is None:
            descriptor = sys.stdin.fileno()
            # A process that shares the pipe may have made it non-blocking: "nothing yet" would look like its end.
            os.set_blocking(descriptor, True)
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return (io.FileIO if is_file else _Pipe)(descriptor, closefd=False)
        if self.progress is not None and self.plain_size() is None:
            return _Pipe(self.path)
        return self.path.open("rb", buffering=0)

    def plain_size(self) -> int | None:
        """Return the bytes of a regular file, which allows seeking; None for a pipe, a device, or a missing file."""
        if self.path is None:
            return None
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None


def copy_error(name: str, error: OSError) -> OutputError:
    """Return the error for a source that cannot be copied to a temporary file."""
    return OutputError(
        f"cannot copy {name} to a temporary file: {error.strerror or type(error).__name__}",
        hint="Free some disk space, set TMPDIR to a larger disk, or name a file instead.",
    )


class InputFormat(StrEnum):
    """Input formats that the user can require."""

    AUTO = "auto"
    PAYLOAD = "payload"
    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    MSGPACK = "msgpack"
    PARQUET = "parquet"
    AVRO = "avro"


FORMAT_MEANINGS: Final = {
    InputFormat.AUTO: "detected: any of the others (the default)",
    InputFormat.PAYLOAD: "payloads as Braze posts them: one, several one after another (JSON Lines), or an array",
    InputFormat.CSV: "ingested rows; also separated by `;`, `|`, or ^A, with or without a header",
    InputFormat.TSV: "ingested rows, separated by tabs",
    InputFormat.JSON: "ingested rows as objects or arrays, one per line or in an array",
    InputFormat.MSGPACK: "ingested rows as arrays, as `td query -f msgpack` writes them",
    InputFormat.PARQUET: "ingested rows, or events as `parse --to parquet` and others write them; needs pyarrow",
    InputFormat.AVRO: "Braze's export to cloud storage; the type of the events is in the path, or --event-type",
}


class ReadOptions(Struct, frozen=True, kw_only=True):
    """What the user knows of the input."""

    form: InputFormat = InputFormat.AUTO  # of all sources
    column: str | int | None = None  # name of the column with the batches, or its number from 1; None to detect it
    header: bool | None = None  # False where the first row is not a header; None to detect it
    # Whether an object that has anything in addition to an array `events` is a row, not a payload with another field.
    ingested: bool = False
    flat: Names | None = None  # rows that are events with the names of this scheme stay as they are
    event_type: str | None = None  # of the source
    received: "ReceiveTimes | None" = None  # of the rows that are read; None for all

    @classmethod
    def of(
        cls,
        form: str = "auto",
        column: str | None = None,
        *,
        no_header: bool = False,
        received: "ReceiveTimes | None" = None,
    ) -> "ReadOptions":
        """Return the options of a command that reads rows; a column of digits is a number."""
        number = int(column) if column is not None and column.isdecimal() and int(column) else None
        header = False if no_header else None
        return cls(form=InputFormat(form), column=number or column, header=header, ingested=True, received=received)

    @property
    def name(self) -> str:
        """The column's name, as far as it is known."""
        return self.column if isinstance(self.column, str) else COLUMN

    @property
    def is_automatic(self) -> bool:
        """Whether the contents decide everything."""
        return self.form is InputFormat.AUTO and self.column is None and self.header is None and self.received is None

    def index_of(self, names: list[str]) -> int | None:
        """Return the column's index in a header; None where it is not there."""
        if isinstance(self.column, int):
            return self.column - 1 if self.column <= len(names) else None
        name = self.column or COLUMN
        if name not in names:
            names = [each.strip(" \t[]`'") for each in names]
        return names.index(name) if name in names else None


DEFAULT: Final = ReadOptions()
INGESTED: Final = ReadOptions(ingested=True)

OBJECTS: Final = "JSON objects"
PARQUET: Final = "Parquet"
_ALWAYS_NAMED: Final = (OBJECTS, PARQUET)  # formats that name their columns themselves


class SourceFormat(Struct, frozen=True, kw_only=True):
    """How a source of rows was read."""

    form: str  # in words, such as `CSV`
    column: str | None = None  # name of the column with the batches
    number: int | None = None  # of that column, from 1; None for flat rows, and where columns have no order
    header: bool = False  # whether a header came first

    def __str__(self) -> str:
        if self.column is None:
            name = "flat rows" if self.number is None else f"column {self.number}"
        else:
            name = f"column `{self.column}`" + ("" if self.number is None else f" ({_ordinal(self.number)})")
        if self.form in _ALWAYS_NAMED:
            return f"{name}, {self.form}"
        return f"{name}, {self.form} {'with' if self.header else 'without'} header"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


FormatCallback: TypeAlias = Callable[[SourceFormat], object]
"""Called with the format of a source of rows, once it is known."""

_BATCH: Final = pattern(r'\s*"?\s*(?:\[\s*(?:\\?["{]|\])|\{\s*\\?"events\\?"\s*:)')
_BATCH_START: Final = 100  # bytes of a cell that are looked at


def looks_like_batch(cell: str | bytes) -> bool:
    """Whether a cell begins like a batch: an array of objects or strings, or a payload."""
    text = cell if isinstance(cell, str) else cell[:_BATCH_START].decode(errors="replace")
    return _BATCH.match(text) is not None
