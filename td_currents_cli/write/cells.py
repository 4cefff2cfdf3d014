r"""Rows of a table as CSV and TSV.

CSV is RFC 4180 with `\n` at line ends: a missing value is an empty cell, an empty string is `""`.
TSV has no quotes. As in PostgreSQL's COPY and ClickHouse's TabSeparated, a tab, line end or backslash in a value is
`\t`, `\n`, `\r`, `\\`, and a missing value is `\N`. Lone surrogates, which UTF-8 cannot encode, become `\udXXX`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED: Final = re.compile('[",\n\r]')


class CellForm(Struct, frozen=True):
    """How rows are written."""

    separator: str
    missing: str  # a cell without a value
    escape: Callable[[str], str]  # applied to values

    def line(self, columns: Sequence[str], cells: Mapping[str, str | None]) -> bytes:
        """A row with its line end; `cells` are values by column name."""
        escape, missing = self.escape, self.missing
        written = {name: escape(cell) for name, cell in cells.items() if cell is not None}
        row = self.separator.join([written.get(name, missing) for name in columns])
        return f"{row}\n".encode(errors="backslashreplace")


def _csv_cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if not cell or _QUOTED.search(cell) else cell


def _tsv_cell(cell: str) -> str:
    return cell.translate(_ESCAPES)


FORMS: Final = {"csv": CellForm(",", "", _csv_cell), "tsv": CellForm("\t", "\\N", _tsv_cell)}
