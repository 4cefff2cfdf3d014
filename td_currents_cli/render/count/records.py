"""Counts for scripts: a record a line."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.figures import Pivot, PivotRow
from td_currents_cli.write.json_text import json_line

NONE = "(none)"
"""Heads a column of events that have no value of what stands in columns."""


def write_json_lines(outcome: CountOutcome) -> None:
    """One JSON object for each group."""
    for count in outcome.counts:
        sys.stdout.buffer.write(json_line(count.as_dict(outcome.by)))


def write_delimited(outcome: CountOutcome, delimiter: str) -> None:
    """A header line, then a line for each group: RFC 4180 with that delimiter, a missing value empty.

    A pivot has a column for each value, and the total of its line in the last one.
    """
    text = StringIO()
    if outcome.pivot is None:
        _write(text, outcome.fields, (count.as_dict(outcome.by) for count in outcome.counts), delimiter)
    else:
        pivot = outcome.pivot
        columns = [NONE if column is None else column for column in pivot.columns]
        _write(text, (*pivot.by, *columns, "total"), (_cells(pivot, columns, row) for row in pivot.rows), delimiter)
    sys.stdout.buffer.write(text.getvalue().encode(errors="backslashreplace"))


def _write(text: StringIO, fields: Sequence[str], records: Iterable[Mapping[str, object]], delimiter: str) -> None:
    writer = csv.DictWriter(text, fields, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)


def _cells(pivot: Pivot, columns: Sequence[str], row: PivotRow) -> dict[str, object]:
    return {
        **dict(zip(pivot.by, row.key, strict=True)),
        **dict(zip(columns, row.cells, strict=True)),
        "total": row.total,
    }
