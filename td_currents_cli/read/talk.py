"""What `td query` prints around the rows when it has no `-o`, so that a copied terminal can be read."""

import re
from typing import Final

from td_currents_cli.model import Batch, Record
from td_currents_cli.read.scanner import Scanner

_BEGINNING: Final = re.compile(rb"Job \d+ is queued\.|Status +: |Use '\$ td job:show")
_RESULT: Final = re.compile(rb"Result +: *$")
_TALK: Final = re.compile(rb"\s*(?:\d+ rows? in set|Use '-v' option .*|Job \d+ .*|[A-Z][A-Za-z ]* : .*)\s*")
_MOST: Final = 200
"""Lines of talk before the rows; a query's log may be among them."""


def skip_talk(scanner: Scanner) -> bool:
    """Pass over status lines up to the rows; whether there were any."""
    if not _BEGINNING.match(scanner.peek_line()):
        return False
    for _ in range(_MOST):
        if not scanner.head(1) or _RESULT.match(scanner.take_line().rstrip(b"\r")):
            break
    return True


def is_talk(record: Record) -> bool:
    """Whether a record is a status line after the rows."""
    text = record.data if isinstance(record, Batch) else record.raw
    return text is not None and len(text) < 300 and _TALK.fullmatch(text) is not None
