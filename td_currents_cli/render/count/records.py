"""Counts for scripts: one record per line."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Final

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.result import Pivot, PivotRow
from td_currents_cli.write.formats import json_line

NO_VALUE: Final = "(none)"
"""Heading of the column for events without a value of the pivot."""


def write_json_lines(outcome: CountOutcome) -> None:
    """Write one JSON object for each group."""
    for count in outcome.counts:
        sys.stdout.buffer.write(json_line(count.as_dict(outcome.by)))


def write_delimited(outcome: CountOutcome, delimiter: str) -> None:
    """Write a header and a record for each group (RFC 4180 with that delimiter); a missing value is empty.

    A pivot has a column for each value, and the total in the last column.
    """
    buffer = StringIO()
    if outcome.pivot is None:
        _write_records(buffer, outcome.fields, (count.as_dict(outcome.by) for count in outcome.counts), delimiter)
    else:
        pivot = outcome.pivot
        columns = [NO_VALUE if column is None else column for column in pivot.columns]
        _write_records(
            buffer,
            (*pivot.by, *columns, "total"),
            (_pivot_record(pivot, columns, row) for row in pivot.rows),
            delimiter,
        )
    sys.stdout.buffer.write(buffer.getvalue().encode(errors="backslashreplace"))


def _write_records(
    buffer: StringIO, fields: Sequence[str], records: Iterable[Mapping[str, object]], delimiter: str
) -> None:
    writer = csv.DictWriter(buffer, fields, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)


def _pivot_record(pivot: Pivot, columns: Sequence[str], row: PivotRow) -> dict[str, object]:
    return {
        **dict(zip(pivot.by, row.key, strict=True)),
        **dict(zip(columns, row.cells, strict=True)),
        "total": row.total,
    }
