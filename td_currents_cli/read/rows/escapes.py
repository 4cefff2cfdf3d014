r"""Cells of TSV as `write.cells` and PostgreSQL's COPY write them: `\t`, `\n`, `\r`, `\\`, and no value as `\N`.

Treasure Data escapes nothing, and has no `\N` for a null: where there is one, the file is of this kind.
"""

import re
from typing import Final

NULL: Final = "\\N"
"""No value."""

_ESCAPE: Final = re.compile(r"\\([tnr\\])")
_ESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def unescaped(cell: str) -> str:
    """The text that a cell stands for."""
    return _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], cell) if "\\" in cell else cell
