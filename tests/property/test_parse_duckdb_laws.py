"""A law of what parse writes for databases: DuckDB, told how cells are written, reads the values of the events."""

import json
import re
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from td_currents_cli.choices import To
from td_currents_cli.parse import ParseRequest, run
from td_currents_cli.read import sources

TEXTS = [
    "",
    " ",
    "null",
    "NULL",
    "\\N",
    "é\u2028😀",
    "a,b",
    'a"b',
    '"',
    "''",
    "a\nb",
    "\r\n",
    "\t",
    "\\",
    "\\t",
    "#",
    "1e400",
]
values = st.sampled_from(
    [*map(json.dumps, TEXTS), "null", "true", "12345678901234567890", "3.140000104904175", "1e400"]
)
values |= st.sampled_from(['{"a": [1.0, "é"]}', '["x,y", "\\"z\\""]', "[ ]"])
members = st.dictionaries(st.sampled_from(["campaign_id", "price", "note", "a,b", 'q"', "é"]), values, max_size=4)
UNESCAPED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}

READ = {
    To.CSV: """FROM read_csv(?, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"',
               allow_quoted_nulls = false, new_line = '\\n', sample_size = -1)""",
    To.TSV: """FROM read_csv(?, header = true, all_varchar = true, delim = '\\t', quote = '', escape = '',
               nullstr = '\\N', new_line = '\\n', sample_size = -1)""",
}


def cell_of(value: str | None, to: To) -> str | None:
    """The text that a cell stands for."""
    if value is None or to is To.CSV:
        return value
    return re.sub(r"\\(.)", lambda match: UNESCAPED[match[1]], value)


def says(value: Any, cell: str | None) -> bool:
    """Whether a cell says what a JSON value is."""
    if isinstance(value, str) or value is None or cell is None:
        return bool(cell == value)
    return bool(json.loads(cell, parse_float=str) == value)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(members, min_size=1, max_size=4), st.sampled_from(sorted(READ)), st.booleans())
@example([{"note": "null"}, {"note": '""'}], To.CSV, True)
def test_duckdb_reads_the_values_of_the_events(
    tmp_path_factory: pytest.TempPathFactory, properties: list[dict[str, str]], to: To, alone: bool
) -> None:
    """A row an event, in order; an empty text is no null; also of a table that has one column."""
    # An empty text by itself is an empty line in TSV, which DuckDB passes over.
    assume(to is To.CSV or not alone or '""' not in [each.get("note") for each in properties])
    folder = tmp_path_factory.getbasetemp()
    path, output = folder / "in.jsonl", folder / "out"
    some = (",".join(f"{json.dumps(name)}:{value}" for name, value in each.items()) for each in properties)
    events = [f'{{"event_type":"a","id":"{number}","properties":{{{text}}}}}' for number, text in enumerate(some)]
    path.write_text("\n".join(events), encoding="utf-8")
    run(ParseRequest(sources=sources([str(path)]), output=output, to=to, fields=("note",) if alone else None))
    with duckdb.connect() as connection:
        read = connection.execute(READ[to], [str(output)])
        columns = [column[0] for column in read.description]
        rows = read.fetchall()
    for number, (each, row) in enumerate(zip(properties, rows, strict=True)):
        event = {"event_type": "a", "id": str(number), **{name: loads(value) for name, value in each.items()}}
        found = {name: cell_of(cell, to) for name, cell in zip(columns, row, strict=True)}
        # A field that is always null needs no column.
        assert alone or found.keys() >= {name for name, value in event.items() if value is not None}
        assert all(says(event.get(name), cell) for name, cell in found.items())


def loads(text: str) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=str)
