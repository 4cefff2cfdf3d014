r"""Rows of a table as text.

CSV is RFC 4180 with `\n` at line ends: no value is an empty cell, an empty text is `""`.
TSV has no quotes. As in PostgreSQL's COPY and ClickHouse's TabSeparated, a tab, line end or backslash in a value is
`\t`, `\n`, `\r`, `\\`, and no value is `\N`. Lone surrogates, which UTF-8 cannot hold, are written as `\udXXX`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED: Final = re.compile('[",\n\r]')


class CellForm(Struct, frozen=True):
    """How rows are written.

    Attributes:
        separator: between cells.
        missing: a cell without a value.
        escape: a cell with one.
    """

    separator: str
    missing: str
    escape: Callable[[str], str]

    def line(self, columns: Sequence[str], cells: Mapping[str, str | None]) -> bytes:
        """A row with its line end.

        Args:
            columns: names, in their order.
            cells: values by the names of their columns; a column without one has none.
        """
        escape, missing = self.escape, self.missing
        written = {name: escape(cell) for name, cell in cells.items() if cell is not None}
        row = self.separator.join([written.get(name, missing) for name in columns])
        return f"{row}\n".encode(errors="backslashreplace")


def _csv_cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if not cell or _QUOTED.search(cell) else cell


def _tsv_cell(cell: str) -> str:
    return cell.translate(_ESCAPES)


FORMS: Final = {"csv": CellForm(",", "", _csv_cell), "tsv": CellForm("\t", "\\N", _tsv_cell)}
"""By the names of the forms."""
