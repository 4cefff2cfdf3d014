"""Flat events as a table, from a temporary file that holds them until all columns are known."""

import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, Self

from td_currents_cli.catalog import load
from td_currents_cli.choices import Mask, To
from td_currents_cli.errors import OutputError
from td_currents_cli.events.flatten import full_name
from td_currents_cli.parse.columns import ColumnStats, columns_of, fields_of, string_of
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.parse.shape import TransformedChunk
from td_currents_cli.write.files import write_all
from td_currents_cli.write.formats import FORMS

_COLUMN_TYPES: Final = {"int": "long", "long": "long", "float": "number", "boolean": "boolean"}
_HELD_KINDS: Final = {"boolean": {"boolean"}, "long": {"long", "huge"}, "number": {"long", "number"}}
"""Kinds of values (see `kind_of_value`) that a column of each type holds without loss; a string holds all."""


class SpooledTable:
    """Flat events as JSON Lines in a temporary file (in `TMPDIR`), and their columns.

    A table begins with the names of its columns, which are only known after the last event. Memory does not grow with
    the input; the disk holds the events a second time while the command runs.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        self._stats = ColumnStats()
        self._file = file or tempfile.TemporaryFile()  # noqa: SIM115 -- closed by this object's own exit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def find_columns(self) -> None:
        """Find the columns of the events that are already in the file."""
        self._stats.add(self._file)

    def add(self, chunk: TransformedChunk) -> None:
        """Raises OutputError if the disk is full."""
        self._stats.merge(chunk.columns)
        try:
            self._file.write(chunk.lines.data)
        except OSError as error:
            raise OutputError(
                f"cannot keep the events in a temporary file: {error.strerror}",
                hint="Free some space, or set TMPDIR to a larger disk.",
            ) from None

    def write(self, output: BinaryIO, request: ParseRequest) -> None:
        columns = request.fields or columns_of(self._stats, request.names, with_personal=request.mask is not Mask.DROP)
        self._file.seek(0)
        if request.to is To.PARQUET:
            from td_currents_cli.write.formats import write_parquet  # noqa: PLC0415 -- heavy, and an extra

            types = _types(columns, self._stats, request)
            write_parquet(output, types, self._values(types))
            return
        form = FORMS[request.to]
        write_all(output, form.line(columns, dict(zip(columns, columns, strict=True))))
        for event in self._file:
            write_all(output, form.line(columns, cells_of(event)))

    def _values(self, types: dict[str, str]) -> Iterator[tuple[int, list[Any]]]:
        for event in self._file:
            values = {name: _typed(cell, types.get(name, "string")) for name, cell in cells_of(event).items()}
            yield len(event), [values.get(name) for name in types]


def cells_of(event: bytes) -> dict[str, str | None]:
    """The values of a flat event as cells: the content of a string, None for null, all else as it is written."""
    return {name: _cell(bytes(value)) for name, value in fields_of(event).items()}


def _cell(value: bytes) -> str | None:
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
    return {name: _type(cataloged.get(name), stats.kinds.get(name, set()) - {"null"}) for name in columns}


def _type(cataloged: set[str] | None, kinds: set[str]) -> str:
    # A column that the catalog does not know has the type of its values, if there are any.
    possible = cataloged if cataloged is not None else _HELD_KINDS.keys() if kinds else ()
    return next((each for each, held in _HELD_KINDS.items() if each in possible and kinds <= held), "string")
