"""What `td query` and `td job:show` print around the rows without `-o`, so that a copied terminal can be read.

They print a progress bar before a table, and over it: blanks between carriage returns, which a file keeps
(`lib/td/command/job.rb` of the `td` gem).
"""

import re
from typing import Final

from td_currents_cli.model import Batch, Record
from td_currents_cli.read.rows.boxed import is_table_border
from td_currents_cli.read.scanner import Scanner

_BEGINNING: Final = re.compile(rb"Job \d+ is queued\.|JobID +: |Status +: |Use '\$ td job:show")
_PROGRESS: Final = re.compile(rb"\s*WARNING: the \w+ result is being downloaded")
_RESULT: Final = re.compile(rb"Result +: *$")
_STATUS_LINE: Final = re.compile(rb"\s*(?:\d+ rows? in set|Use '-v' option .*|Job \d+ .*|[A-Z][A-Za-z ]* : .*)\s*")
_MAX_STATUS_LINES: Final = 200  # before the rows; a query's log may be among them


def skip_job_status(scanner: Scanner) -> bool:
    """Skip status lines up to the rows; whether there were any."""
    if not _BEGINNING.match(scanner.peek_line()):
        return False
    for _ in range(_MAX_STATUS_LINES):
        if not scanner.head(1) or _RESULT.match(scanner.take_line().rstrip(b"\r")):
            break
    _skip_progress(scanner)
    return True


def _skip_progress(scanner: Scanner) -> None:
    while True:
        line = scanner.peek_line().rstrip()
        printed_over, _, shown = line.rpartition(b"\r")
        if is_table_border(shown) and printed_over:
            scanner.skip(len(line) - len(shown))
        if not _PROGRESS.match(line) or is_table_border(shown):
            return
        scanner.take_line()


def is_job_status(record: Record) -> bool:
    """Whether a record is a status line after the rows."""
    text = record.data if isinstance(record, Batch) else record.raw
    return text is not None and len(text) < 300 and _STATUS_LINE.fullmatch(text) is not None
