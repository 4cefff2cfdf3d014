r"""Rows of a table as text.

CSV is RFC 4180 with `\n` at line ends: no value is an empty cell, an empty text is `""`.
TSV has no quotes. As in PostgreSQL's COPY and ClickHouse's TabSeparated, a tab, line end or backslash in a value is
`\t`, `\n`, `\r`, `\\`, and no value is `\N`. Lone surrogates, which UTF-8 cannot hold, are written as `\udXXX`.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Row: TypeAlias = Sequence[str | None]

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED: Final = ('"', ",", "\n", "\r")


def csv_line(row: Row) -> bytes:
    """A row of CSV."""
    return _encoded(",".join(map(_csv_cell, row)))


def tsv_line(row: Row) -> bytes:
    """A row of TSV."""
    return _encoded("\t".join(["\\N" if cell is None else cell.translate(_ESCAPES) for cell in row]))


LINES: Final[dict[str, Callable[[Row], bytes]]] = {"csv": csv_line, "tsv": tsv_line}


def _csv_cell(cell: str | None) -> str:
    if cell is None:
        return ""
    if not cell or any(each in cell for each in _QUOTED):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _encoded(line: str) -> bytes:
    return (line + "\n").encode(errors="backslashreplace")
