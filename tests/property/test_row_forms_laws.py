"""Laws of ingested rows: whatever form they are taken out in, the same events come back, and a cut makes none up."""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from io import BytesIO, StringIO
from typing import Any

import msgpack
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from td_currents_cli.events.decode import EventReader, split
from td_currents_cli.model import Batch
from td_currents_cli.read import records
from td_currents_cli.read.formats.cell import batch_text
from td_currents_cli.read.formats.delimited import RowLines, Table, csv_rows
from td_currents_cli.read.formats.flat import event_of_strings
from td_currents_cli.read.options import INGESTED
from td_currents_cli.read.scanner import Scanner
from tests.memory import source_of

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

VALUES = ["1e400", "9223372036854775807", "3.140000104904175", "-0", "1.0", "true", "null", '"\\u0000"', '"\\ud800"']
VALUES += ['"\u2028"', '"😀"', '""', '"\\\\"', '"a\\tb"', "[{}]", '{"":[]}', '"null"', '"],["', '"12 rows in set"']
NAMES = ["a", "", "events", "event_type", "user_x", "properties_x", "é", "\\ud800", "\u2028", "properties"]

members = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=3)
batches = st.lists(st.lists(members, max_size=3), min_size=1, max_size=4)


def event_of(number: int, given_members: dict[str, str]) -> str:
    """An event with an id of its own, on one line."""
    inner = ",".join(f'"{name}":{value}' for name, value in given_members.items())
    return f'{{"event_type":"x","id":"{number}","properties":{{{inner}}}}}'


def cells_of(given_batches: list[list[dict[str, str]]], wrap: str) -> list[str]:
    """A cell for each batch; the first has an event, so that the column can be detected by content."""
    number = iter(range(1000))
    some = [[{}, *given_batches[0]], *given_batches[1:]]
    all_events = [[event_of(next(number), each) for each in batch] for batch in some]
    if wrap == "texts":
        return [json.dumps(batch) for batch in all_events]
    arrays = ["[" + ",".join(batch) + "]" for batch in all_events]
    if wrap == "payload":
        return [f'{{"events":{array}}}' for array in arrays]
    return [json.dumps(array) for array in arrays] if wrap == "text" else arrays


def csv_of(rows: list[list[Any]], **dialect: Any) -> bytes:
    """Rows as a spreadsheet writes them."""
    out = StringIO(newline="")
    csv.writer(out, **dialect).writerows(rows)
    return out.getvalue().encode()


def in_backslashes(cell: str) -> str:
    """As MySQL, Spark and Trino quote."""
    return '"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_in_php(cell: str) -> str:
    """As `fputcsv` quotes: a quote after a backslash is not doubled."""
    return '"' + re.sub(r'\\.|"', lambda found: '""' if found[0] == '"' else found[0], cell) + '"'


def plain(separator: str, cells: list[str], change: Callable[[str], str] = str, head: str = "time{}events") -> bytes:
    """Rows of cells that are joined as they are."""
    lines = [head.format(separator)] if head else []
    return "\n".join([*lines, *(f"1{separator}{change(cell)}" for cell in cells)]).encode()


def lines_of(rows: list[list[Any]], between: str = "\n") -> bytes:
    """Rows as JSON arrays."""
    return between.join(json.dumps(row) for row in rows).encode()


FORMS = {
    "csv": lambda cells: csv_of([["time", "events"], *([1, cell] for cell in cells)]),
    "csv without header": lambda cells: csv_of([[1, cell, "x"] for cell in cells]),
    "tsv": lambda cells: "\n".join(["time\tevents", *(f"1\t{cell}" for cell in cells)]).encode(),
    "tsv without header": lambda cells: "\r\n".join(f"{cell}\t1" for cell in cells).encode(),
    "json": lambda cells: b"[" + lines_of([[1, cell] for cell in cells], ",\n") + b"]",
    "jsonl arrays": lambda cells: lines_of([[1, cell] for cell in cells]),
    "jsonl names": lambda cells: lines_of([["time", "events"], *([1, cell] for cell in cells)]),
    "jsonl": lambda cells: b"\n".join(json.dumps({"time": 1, "events": cell}).encode() for cell in cells),
    "jsonl native": lambda cells: "\n".join(f'{{"time":1,"events":{cell}}}' for cell in cells).encode(),
    "json native": lambda cells: ("[" + ",\n".join(f'{{"events": {cell}, "x":1}}' for cell in cells) + "]").encode(),
    "semicolons": lambda cells: csv_of([["time", "events"], *([1, cell] for cell in cells)], delimiter=";"),
    "bars": lambda cells: csv_of([[cell, 1] for cell in cells], delimiter="|"),
    "quoted tsv": lambda cells: csv_of([[cell, 1, "x\ny"] for cell in cells], delimiter="\t"),
    "^A": lambda cells: plain("\x01", cells, head=""),
    "separator line": lambda cells: (
        b"sep=;\r\n" + csv_of([["time", "events"], *([1, cell] for cell in cells)], delimiter=";")
    ),
    "header again": lambda cells: csv_of([row for cell in cells for row in (["a b", "[events]"], [1, cell])]),
    "backslashes": lambda cells: plain(",", cells, in_backslashes),
    "backslashes without header": lambda cells: plain(";", cells, in_backslashes, head=""),
    "php": lambda cells: plain(",", cells, as_in_php),
    "escaped tsv": lambda cells: plain("\t", cells, lambda cell: cell.replace("\\", "\\\\")),
    "escaped bars": lambda cells: plain("|", cells, lambda cell: cell.replace("\\", "\\\\"), head=""),
    "wrapped": lambda cells: json.dumps({"data": [{"time": 1, "events": cell} for cell in cells], "n": 1}).encode(),
    "wrapped arrays": lambda cells: json.dumps({"n": 1, "rows": [[1, cell] for cell in cells]}, indent=1).encode(),
    "index": lambda cells: json.dumps({n: {"events": cell} for n, cell in enumerate(cells)}).encode(),
    "msgpack": lambda cells: b"".join(msgpack.packb([1, cell]) for cell in cells),
}
WRAPS = ["events", "payload", "text", "texts"]


def events_in(data: bytes) -> tuple[list[bytes], EventReader]:
    """The bytes of all events, and what was met on the way."""
    intake = EventReader()
    found = intake.events(records([source_of(data)], INGESTED), split)
    return [bytes(each) for _, some in found for each in some], intake


@law
@example([[]], "tsv without header", "text")
@given(batches, st.sampled_from(sorted(FORMS)), st.sampled_from(WRAPS))
@example([[]], "tsv without header", "text")
def test_every_format_gives_back_the_events(given_batches: list[list[dict[str, str]]], form: str, wrap: str) -> None:
    """Byte for byte and in order, however the cell is wrapped."""
    found, intake = events_in(FORMS[form](cells_of(given_batches, wrap)))
    number = iter(range(1000))
    some = [[{}, *given_batches[0]], *given_batches[1:]]
    assert found == [event_of(next(number), each).encode() for batch in some for each in batch]
    assert intake.log.result().total == 0


@law
@given(batches, st.sampled_from(sorted(FORMS)), st.sampled_from(WRAPS), st.data())
def test_a_cut_never_makes_an_event(
    given_batches: list[list[dict[str, str]]], form: str, wrap: str, data: st.DataObject
) -> None:
    """The whole input, or each cell, as a column limit does; and the run balances."""
    cells = cells_of(given_batches, wrap)
    whole = FORMS[form](cells)
    # A cell that is no string is not cut: what ends its row would end what is left of it.
    what = data.draw(st.sampled_from(["file", "packed file", *([] if "native" in form else ["cells"])]))
    if what == "packed file":
        packed = gzip.compress(whole, 1)
        cut = packed[: data.draw(st.integers(0, len(packed)))]
    elif what == "cells":
        limit = data.draw(st.integers(0, max(map(len, cells))))
        cut = FORMS[form]([cell[:limit] for cell in cells])
    else:
        cut = whole[: data.draw(st.integers(0, len(whole)))]
    found, intake = events_in(cut)
    assert not Counter(found) - Counter(events_in(whole)[0])
    assert intake.balance(events_out=len(found)).balanced


flat_names = st.sampled_from(["user_user_id", "user_external_user_id", "user_timezone", "properties_app_id"])
flat_names |= st.sampled_from(["properties_price", "properties_x", "properties_custom_properties_y"])


@law
@given(st.dictionaries(flat_names, st.text(st.characters(exclude_categories=["Cs"]), max_size=5)))
@example({"properties_price": "1e400", "user_user_id": "9223372036854775807"})
def test_streaming_rows_keep_every_value(row: dict[str, str]) -> None:
    """Each cell that is not empty comes back once, as the string or the number that it was."""
    row = {"event_type": "users.behaviors.Purchase", "id": "1", **row}
    event = json.loads(event_of_strings(list(row), list(row.values())), parse_float=str, parse_int=str)
    properties = dict(event.get("properties", {}))
    custom = properties.pop("custom_properties", {})
    values = [event["event_type"], event["id"], *event.get("user", {}).values(), *properties.values(), *custom.values()]
    assert Counter(values) == Counter(value for value in row.values() if value not in {"", "null"})


PIECES = st.sampled_from(
    ['"', '""', '""""', ",", "[", "]", "{", "}", '"[', ']"', ',"[', "a", "é", " ", "\r", "null", ":"]
)
ROWS = st.lists(PIECES, max_size=10).map(lambda pieces: '1,"[' + "".join(pieces))


@given(st.one_of(ROWS, ROWS.map(lambda row: row + ']"')))
def test_a_row_is_what_the_csv_module_says(row: str) -> None:
    """With the short cut for ordinary rows: the batch is the last of two cells; what the module refuses is refused."""
    scanner = Scanner(BytesIO(f"time,events\n{row}".encode()))
    scanner.take_line()
    (record,) = csv_rows(RowLines(scanner), "x", Table(names=["time", "events"], column=1, header=True))
    try:
        cells = next(csv.reader([row.removesuffix("\r")], strict=True))
    except csv.Error:
        cells = []
    if len(cells) == 2:
        assert isinstance(record, Batch)
        assert record.data == batch_text(cells[1])
    else:
        assert not isinstance(record, Batch)
