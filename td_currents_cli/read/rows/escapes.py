r"""Cells of TSV as `write.cells` and PostgreSQL's COPY write them: `\t`, `\n`, `\r`, `\\`, and `\N` for no value.

Treasure Data escapes nothing, and has no `\N` for null: where one occurs, the cells of the file are escaped.
"""

import re
from typing import Final

NULL: Final = "\\N"

_ESCAPE: Final = re.compile(r"\\([tnr\\])")
_ESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def unescaped(cell: str) -> str:
    """Replace the escapes of a cell by the characters they stand for."""
    return _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], cell) if "\\" in cell else cell
