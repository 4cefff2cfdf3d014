"""Flat events as a table, from a temporary file that holds them until all columns are known."""

import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, Self

from td_currents_cli.catalog import load
from td_currents_cli.choices import Mask, To
from td_currents_cli.errors import OutputError
from td_currents_cli.events.names import full_name
from td_currents_cli.parse.columns import Met, columns_of, members_of, text_of
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.parse.shape import Shaped
from td_currents_cli.write.atomic import write_all
from td_currents_cli.write.cells import FORMS

_KINDS: Final = {"int": "long", "long": "long", "float": "number", "boolean": "boolean"}
_FITTING: Final = {"boolean": {"boolean"}, "long": {"long", "huge"}, "number": {"long", "number"}}
"""Kinds of values (see `kind_of`) that a column of each type holds without loss; text holds all."""


class Spool:
    """Flat events as JSON Lines in a temporary file (in `TMPDIR`), and what was met in them.

    A table begins with the names of its columns, and which there are is known after the last event. So memory does not
    grow with the input, the disk takes the events once more while the command runs.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        self.met = Met()
        self._file = file or tempfile.TemporaryFile()  # noqa: SIM115 -- closed by this object's own exit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def meet(self) -> None:
        """Look at all events that are in the file already."""
        self.met.add(self._file)

    def take(self, shaped: Shaped) -> None:
        """Take flat events, and what was met in them.

        Raises:
            OutputError: there is no room for them.
        """
        self.met.merge(shaped.met)
        try:
            self._file.write(shaped.bulk.data)
        except OSError as error:
            raise OutputError(
                f"cannot keep the events in a temporary file: {error.strerror}",
                hint="Make room there, or set TMPDIR to a larger disk.",
            ) from None

    def lay_out(self, output: BinaryIO, request: ParseRequest) -> None:
        """Write all events as a table."""
        columns = request.fields or columns_of(self.met, request.names, with_personal=request.mask is not Mask.DROP)
        self._file.seek(0)
        if request.to is To.PARQUET:
            from td_currents_cli.write.parquet import write_parquet  # noqa: PLC0415 -- heavy, and an extra

            kinds = _kinds(columns, self.met, request)
            write_parquet(output, kinds, self._values(kinds))
            return
        form = FORMS[request.to]
        write_all(output, form.line(columns, dict(zip(columns, columns, strict=True))))
        for event in self._file:
            write_all(output, form.line(columns, cells_of(event)))

    def _values(self, kinds: dict[str, str]) -> Iterator[tuple[int, list[Any]]]:
        for event in self._file:
            values = {name: _typed(cell, kinds.get(name, "string")) for name, cell in cells_of(event).items()}
            yield len(event), [values.get(name) for name in kinds]


def cells_of(event: bytes) -> dict[str, str | None]:
    """The values of a flat event as cells: texts as they are, null as none, all else as it stands."""
    return {name: _cell(bytes(value)) for name, value in members_of(event).items()}


def _cell(value: bytes) -> str | None:
    if value.startswith(b'"'):
        # Nearly all texts are without escapes.
        return text_of(value) if b"\\" in value else value[1:-1].decode()
    return None if value == b"null" else value.decode()


def _typed(cell: str | None, kind: str) -> Any:  # noqa: ANN401 -- what the kind says
    if cell is None or kind == "string":
        return cell if cell is None or cell.isascii() else cell.encode(errors="backslashreplace").decode()
    if kind == "long":
        return int(cell)
    return float(cell) if kind == "number" else cell == "true"


def _kinds(columns: tuple[str, ...], met: Met, request: ParseRequest) -> dict[str, str]:
    """The type of each column: one that the catalogue has for it and all values are of, else text: nothing is lost."""
    said: dict[str, set[str]] = {}
    for event in load().events.values():
        for field in event.fields:
            name = full_name(field.where, field.name, request.names)
            said.setdefault(name, set()).add(_KINDS.get(field.type, "string"))
    return {name: _kind(said.get(name), met.names.get(name, set()) - {"null"}) for name in columns}


def _kind(said: set[str] | None, met: set[str]) -> str:
    # What the catalogue does not know is of the type of its values, where it has any.
    possible = said if said is not None else _FITTING.keys() if met else ()
    return next((kind for kind, fitting in _FITTING.items() if kind in possible and met <= fitting), "string")
