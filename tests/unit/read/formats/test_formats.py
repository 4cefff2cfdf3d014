"""Ingested rows in every form people take them out in: which column, which form, and what each bad row costs."""

import bz2
import gzip
import json
import lzma
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import msgpack
import pytest

from td_currents_cli import count, parse, validate
from td_currents_cli.errors import ExitCode
from td_currents_cli.events.decode import EventReader, split
from td_currents_cli.model import Batch, Code, Problem, Record, Severity
from td_currents_cli.read import records, sources
from td_currents_cli.read.formats.flat import event_of_flat_row, event_of_strings
from td_currents_cli.read.formats.json_arrays import is_row_per_line
from td_currents_cli.read.options import ReadOptions, SourceFormat
from td_currents_cli.read.scanner import LONGEST_PEEK, Scanner
from td_currents_cli.validate.command import Selection
from tests.memory import source_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CELL = '[{"event_type":"a","id":"1"}]'
QUOTED = '"' + CELL.replace('"', '""') + '"'
TEXT = json.dumps(CELL)
EDGE = "+---+---+\n"


def read(data: bytes, reading: ReadOptions | None = None, **options: Any) -> tuple[list[Record], list[SourceFormat]]:
    """The records of a source, and how it was read."""
    shapes: list[SourceFormat] = []
    return list(records([source_of(data)], reading or ReadOptions.of(**options), shapes.append)), shapes


def kinds(found: list[Record]) -> list[str | Code]:
    """Return the data of each batch and the code of each problem."""
    return [each.data.decode(errors="surrogateescape") if isinstance(each, Batch) else each.code for each in found]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (f"time,events\n1,{QUOTED}\n", "column `events` (2nd), CSV with header"),
        (f"events,time\n{QUOTED},1\n", "column `events` (1st), CSV with header"),
        (f"a,b,batch\n1,2,{QUOTED}\n", "column `batch` (3rd), CSV with header"),
        (f"1,{QUOTED}\n", "column 2, CSV without header"),
        (f"time\tevents\n1\t{CELL}\n", "column `events` (2nd), TSV with header"),
        (f"events\n{CELL}\n", "column `events` (1st), TSV with header"),
        (f"1\t{CELL}\n", "column 2, TSV without header"),
        (f"{CELL}\t1\n", "column 1, TSV without header"),
        (f"[1,{TEXT}]\n", "column 2, JSON arrays without header"),
        (f"[{TEXT}]\n", "column 1, JSON arrays without header"),
        (f'["time","events"]\n[1,{TEXT}]\n', "column `events` (2nd), JSON arrays with header"),
        (f"[[1,{TEXT}]]", "column 2, JSON arrays without header"),
        (f"[\n [1,\n  {TEXT}]\n]", "column 2, JSON arrays without header"),
        (f"[[1,{CELL}]]", "column 2, JSON arrays without header"),
        (f"[[{CELL},1]]", "column 1, JSON arrays without header"),
        (f'{{"time":1,"events":{TEXT}}}', "column `events`, JSON objects"),
        (f'[{{"time":1,"batch":{TEXT}}}]', "column `batch`, JSON objects"),
        (f'{{"time":1,"events":{CELL}}}', "column `events`, JSON objects"),
        (f'{{"events":{CELL},"time":1}}', "column `events`, JSON objects"),
        (f'[\n {{"time":1,"batch":{CELL}}}\n]', "column `batch`, JSON objects"),
        (f"{EDGE}| t | events |\n{EDGE}| 1 | {CELL} |\n{EDGE}", "column `events` (2nd), terminal table with header"),
        (f"{EDGE}| t | batch |\n{EDGE}| 1 | {CELL} |\n{EDGE}", "column `batch` (2nd), terminal table with header"),
        # Old versions of `td query -f tsv -c` put a separator after the last name.
        (f"time\tevents\t\n1\t{CELL}\n", "column `events` (2nd), TSV with header"),
        (f"time\tevents\t\n1\t{CELL}\t\n", "column `events` (2nd), TSV with header"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_column_is_detected_and_reported(text: str, shape: str, end: str, pack: Callable[[bytes], bytes]) -> None:
    """By its name, else by its contents, in any format, with any line ends and compression."""
    found, shapes = read(pack(text.replace("\n", end).encode()))
    assert kinds(found) == [CELL]
    assert [str(each) for each in shapes] == [shape]
    assert found[0].location.row == 1


BACKSLASHES = CELL.replace('"', '\\"')
MANY = '[{"event_type":"a|b","id":"1, 2","x":"y\\\\"}]'
PHP = MANY.replace('"', '""').replace('\\\\""', '\\\\"')


@pytest.mark.parametrize(
    ("text", "shape", "cell"),
    [
        (f"time;events\n1;{QUOTED}\n", "column `events` (2nd), CSV separated by `;` with header", CELL),
        (f"1|{QUOTED}\n", "column 2, CSV separated by `|` without header", CELL),
        (f"time|events\n1|{MANY}\n", "column `events` (2nd), CSV separated by `|` with header", MANY),
        (f"1|{MANY}\n", "column 2, CSV separated by `|` without header", MANY),
        (f"1|{MANY}|x\n", "column 2, CSV separated by `|` without header", MANY),
        (f"1\x01{CELL}\x01x\n", "column 2, CSV separated by ^A without header", CELL),
        (f"sep=,\ntime,events\n1,{QUOTED}\n", "column `events` (2nd), CSV with header", CELL),
        (f'"sep=;"\r\nevents;time\r\n{QUOTED};1\r\n', "column `events` (1st), CSV separated by `;` with header", CELL),
        (f"time, events\n1,{QUOTED}\n", "column ` events` (2nd), CSV with header", CELL),
        (f"[time],[events]\n1,{QUOTED}\n", "column `[events]` (2nd), CSV with header", CELL),
        (f"# time,batch (JSON)\n1,{QUOTED}\n", "column `batch (JSON)` (2nd), CSV with header", CELL),
        (f",time,batch\n0,1,{QUOTED}\n", "column `batch` (3rd), CSV with header", CELL),
        (f'1,"{BACKSLASHES}"\n', "column 2, CSV without header", CELL),
        (f'time,note,events\n1,"5\\" pipe, short","{BACKSLASHES}"\n', "column `events` (3rd), CSV with header", CELL),
        (f'time,events\n1,"{PHP}"\n', "column `events` (2nd), CSV with header", MANY),
        (f"time,events\n1,{MANY}\n", "column `events` (2nd), CSV with header", MANY),
        (f"time,events\n1,{CELL}\n".replace('","', '"\\,"'), "column `events` (2nd), CSV with header", CELL),
        (f"1,{QUOTED}\n".replace(":", ":\t"), "column 2, CSV without header", CELL.replace(":", ":\t")),
        (f"1\t{CELL}\n".replace(":", "\\t:\\\t"), "column 2, TSV without header", CELL.replace(":", "\t:\t")),
        ('1\t[{"event_type":"a","x":"C:\\\\new\\\\dir"}]\n', "column 2, TSV without header", None),
        ('1\t[{"event_type":"a","x":"\\\\n\\t"}]\n', "column 2, TSV without header", None),
        ('1\t[{"event_type":"a","x":"\\\\n"}]\n', "column 2, TSV without header", '[{"event_type":"a","x":"\\n"}]'),
    ],
)
def test_tables_of_other_tools(text: str, shape: str, cell: str | None) -> None:
    """Other separators, quotes with backslashes, escapes, and headers with blanks or brackets."""
    header_again = text.encode() + (text.encode() if "header" in shape and "sep=" not in text else b"")
    for data in (text.encode(), gzip.compress(text.encode()), header_again):
        found, shapes = read(data)
        assert set(kinds(found)) == {cell or text.partition("\t")[2].rstrip()}
        assert [str(each) for each in shapes] == [shape]


@pytest.mark.parametrize(
    ("cell", "batch"),
    [
        (CELL, CELL),
        (json.dumps(CELL), CELL),
        (json.dumps(json.dumps(CELL)), CELL),
        (json.dumps([CELL[1:-1]]), CELL),
        (f"[ {json.dumps(CELL[1:-1])} , {CELL[1:-1]} ]", f"[{CELL[1:-1]},{CELL[1:-1]}]"),
        ('["no event"]', '["no event"]'),
        (f'{{"events":{CELL}}}', f'{{"events":{CELL}}}'),
        ("", "[]"),
        ("null", "[]"),
        ("NULL", "[]"),
        ("\\N", "[]"),
    ],
)
def test_every_kind_of_cell(cell: str, batch: str) -> None:
    """A string of events, of strings of events, of a payload, of a string, and nothing: the same in all formats."""
    quoted = '"' + cell.replace('"', '""') + '"'
    texts = (
        f"time,events\n1,{quoted}\n",
        f"time\tevents\n1\t{cell}\n",
        f'{{"time":1,"events":{json.dumps(cell)}}}\n',
        f'["time","events"]\n[1,{json.dumps(cell)}]\n',
    )
    for text in texts:
        assert kinds(read(text.encode())[0]) == [batch]
    assert kinds(read(msgpack.packb([1, cell]), column="2")[0]) == [batch]


EXPORTS = Path(__file__).parents[3] / "cases" / "exports"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("trino-escapes.tsv", "trino-escapes.json"),
        ("backslashes.csv", "sent.json"),
        ("semicolons.csv", "sent.json"),
        ("separator-line.csv", "sent.json"),
        ("header-again.csv", "sent.json"),
        ("data-rows.json", "sent.json"),
    ],
)
def test_exports_have_what_was_sent(name: str, sent: str, tmp_path: Path) -> None:
    """Plain and compressed; and `count`, `parse` and `validate` see the same events."""
    wanted = [bytes(each) for each in events_of((EXPORTS / sent).read_bytes())[0]]
    packed = tmp_path / "rows.gz"
    packed.write_bytes(gzip.compress((EXPORTS / name).read_bytes()))
    for path in (EXPORTS / name, packed):
        events, intake = events_of(path.read_bytes())
        assert [json.loads(each) for each in events] == [json.loads(each) for each in wanted]
        assert intake.log.result().total == 0
        given = sources([str(path)])
        parsed = parse.run(parse.ParseRequest(sources=given, output=tmp_path / "out"))
        checked = validate.run(validate.ValidateRequest(sources=given, selection=Selection.of((), ()), now=0))
        assert (
            count.run(count.CountRequest(given)).total.count
            == parsed.balance.events_out
            == checked.balance.events_read
            == len(wanted)
        )


@pytest.mark.parametrize(
    ("encoding", "name", "shown"),
    [
        ("cp932", "こんにちは", "CP932"),
        ("euc-jp", "カート", "EUC-JP"),
        ("cp1252", "café", "CP1252"),
        ("utf-8", "é", ""),
    ],
)
def test_an_encoding_that_is_not_utf8_is_named(encoding: str, name: str, shown: str) -> None:
    """With the command that converts the file; no encoding where the bytes may be damaged UTF-8."""
    cell = CELL.replace('"1"', f'"{name}"').encode(encoding)
    for text in (b'time,events\n1,"' + cell.replace(b'"', b'""') + b'"\n', b"1\t" + cell + b"\n", cell):
        (problem,) = events_of(text if shown else text.replace("é".encode(), b"\xff\xfeabc\xc3"))[1].log.result().kept
        assert problem.code is Code.NOT_UTF8
        assert problem.hint == (
            f"The file is probably {shown}. Convert it: iconv -f {shown} -t UTF-8 FILE > NEW." if shown else ""
        )


ROWS = [{"time": 1, "events": CELL}, {"time": 2, "events": CELL}]
BY_NAME, BY_NUMBER = "column `events`, JSON objects", "column 2, JSON arrays without header"


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        ({"data": ROWS}, BY_NAME),
        ({"schema": {"fields": [{"name": "events"}]}, "data": ROWS}, BY_NAME),
        ({"0": ROWS[0], "1": ROWS[1]}, BY_NAME),
        (
            {"columns": ["a", "events"], "data": [[1, CELL], [2, CELL]]},
            "column `events` (2nd), JSON arrays with header",
        ),
        ({"columns": ["a", "b"], "index": [0, 1], "data": [[1, CELL], [2, CELL]]}, BY_NUMBER),
        ({"status": "ok", "result": {"next": None, "rows": [[1, CELL], [2, CELL]]}}, BY_NUMBER),
        ({"new": ROWS[:1], "old": ROWS[1:]}, BY_NAME),
        ({"rows": [[], [1], [1, CELL], [2, CELL]]}, BY_NUMBER),
        ({"Records": [{"id": 1, "body": CELL}, {"id": 2, "body": CELL}]}, "column `body`, JSON objects"),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_around_rows(document: dict[str, Any], shape: str, indent: int | None) -> None:
    """Of an API, a queue or pandas: its rows are read, at their own places, also where payloads are expected."""
    text = json.dumps(document, indent=indent).encode()
    found, shapes = read(text)
    assert kinds(found)[-2:] == [CELL, CELL]
    assert [str(each) for each in shapes] == [shape]
    assert [each.location.row for each in found] == list(range(1, len(found) + 1))
    offsets = [each.location.offset for each in found]
    assert offsets == sorted(offsets)
    assert {text[offset : offset + 1] for offset in offsets} <= {b"{", b"["}
    assert kinds(read(text, ReadOptions())[0]) == kinds(found)


@pytest.mark.parametrize(
    ("name", "code", "hint"),
    [
        ("pandas-columns.json", Code.UNKNOWN_FORM, 'df.to_json(PATH, orient="records", lines=True)'),
        ("cp932.csv", Code.NOT_UTF8, "iconv -f CP932 -t UTF-8"),
    ],
)
def test_exports_that_cannot_be_read_are_named(name: str, code: Code, hint: str) -> None:
    """What they are, and how to export or convert them; nothing is taken for an event."""
    outcome = count.run(count.CountRequest(sources([str(EXPORTS / name)])))
    (problem,) = outcome.problems.kept
    assert (problem.code, outcome.total.count) == (code, 0)
    assert hint in problem.hint
    assert outcome.exit_code is not ExitCode.OK


@pytest.mark.parametrize("document", [{"data": [{"a": 1}]}, {"errors": [{"code": 1}]}, {"a": {"b": "[x]"}}, {"a": {}}])
def test_an_object_around_anything_else_is_not_an_event(document: dict[str, Any]) -> None:
    (problem,) = events_of(json.dumps(document).encode())[1].log.result().kept
    assert problem.code is Code.EVENTS_MISSING


def test_msgpack_rows_have_numbers_and_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Native cells and nil included; at any size of the pieces."""
    monkeypatch.setattr("td_currents_cli.read.formats.msgpack.CHUNK", 7)
    rows = [[1, None], [2, CELL], [3, json.loads(CELL)], [4, {"events": json.loads(CELL)}]]
    packed = [msgpack.packb(row) for row in rows]
    found, shapes = read(b"".join(packed))
    assert kinds(found) == ["[]", CELL, CELL, f'{{"events":{CELL}}}']
    assert [each.location.row for each in found] == [1, 2, 3, 4]
    assert [each.location.offset for each in found] == [sum(map(len, packed[:n])) for n in range(4)]
    assert [str(each) for each in shapes] == ["column 2, msgpack without header"]


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (msgpack.packb([1, CELL]) + msgpack.packb([2, CELL])[:-3], [CELL, Code.BAD_ROW]),
        (msgpack.packb([1, CELL]) + b"\xc1" + msgpack.packb([2, CELL]), [CELL, Code.BAD_ROW]),
        (msgpack.packb([1, CELL]) + msgpack.packb({"a": 1}) + msgpack.packb([3, CELL]), [CELL, Code.BAD_ROW, CELL]),
        (msgpack.packb([1, CELL]) + msgpack.packb([2]) + msgpack.packb([3, CELL]), [CELL, Code.BAD_ROW, CELL]),
        (msgpack.packb([1, 2]), [Code.BAD_ROW]),
    ],
)
def test_a_bad_row_of_msgpack(data: bytes, codes: list[str | Code]) -> None:
    """Only that row is rejected, unless the bytes from there on are not msgpack."""
    assert kinds(read(data)[0]) == codes


def test_bytes_that_are_no_utf8_cost_their_row() -> None:
    """In every format: the other rows are read."""
    bad = CELL.encode().replace(b'"1"', b'"\xff"')
    packed = b"".join(b"\x92\x01\xda" + len(cell).to_bytes(2, "big") + cell for cell in (bad, CELL.encode()))
    escaped = bad.replace(b'"', b'\\"')
    for data in (
        b"1\t" + bad + b"\n2\t" + CELL.encode() + b"\n",
        b'[1,"' + escaped + b'"]\n[2,' + TEXT.encode() + b"]\n",
        b'{"a":"' + escaped + b'"}\n{"a":' + TEXT.encode() + b"}\n",
        packed,
    ):
        found, _ = read(data, column="a" if data.startswith(b"{") else "2")
        decoded = [split(each) if isinstance(each, Batch) else each for each in found]
        codes = [each.code if isinstance(each, Problem) else [p.code for p in each.problems] for each in decoded]
        assert codes == [[Code.NOT_UTF8], []]


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (f"a,b\n{QUOTED},{QUOTED}\n", {"column": "b"}, [CELL]),
        (f"a,b\n{QUOTED},x\n", {"column": "1"}, [CELL]),
        (f"events,b\n{QUOTED},x\n", {"no_header": True}, ["events", CELL]),
        (f"a\tb\n{CELL}\tx\n", {"form": "tsv", "column": "a"}, [CELL]),
        (f"{CELL}\tx\n", {"form": "tsv"}, [CELL]),
        (f'{{"batch":{TEXT},"other":{TEXT}}}', {"column": "other"}, [CELL]),
        (f'{{"batch":{TEXT}}}', {}, [CELL]),
        (f'{{"time":1,"events":{TEXT}}}', {"column": "other"}, [Code.BAD_ROW]),
        (f'{{"time":1,"events":{CELL}}}', {"column": "other"}, [Code.BAD_ROW]),
        (f'{{"events":{CELL}}}', {"column": "other"}, [f'{{"events":{CELL}}}']),
        (f'{{"time":1,"other":{CELL}}}', {"column": "other"}, [CELL]),
        ("a,b\n1,2\n", {"column": "c"}, [Code.UNKNOWN_FORM]),
        ("a,b\n1,2\n", {"column": "3"}, [Code.UNKNOWN_FORM]),
    ],
)
def test_what_a_person_says_counts(data: str, options: dict[str, Any], expected: list[str | Code]) -> None:
    """The column by name or number, the format, and that there is no header."""
    assert kinds(read(data.encode(), **options)[0]) == expected


@pytest.mark.parametrize(
    ("text", "batches"),
    [
        (f'{{"time":1,"events":{CELL}}}', [CELL]),
        (f'{{"time":1,"events":{CELL}}}{{"events":{CELL},"time":1}}', [CELL, CELL]),
        (f'{{"time":1,"events":[{TEXT[0]}{CELL[1:-1].replace(TEXT[0], chr(92) + TEXT[0])}{TEXT[0]}]}}', [CELL]),
        (f'{{"time":1,"events":{{"events":{CELL}}}}}', [f'{{"events":{CELL}}}']),
        (f'{{"time":1,"events":{CELL[:-2]},"x":"\\ud800"}}]}}', [f'{CELL[:-2]},"x":"\\ud800"}}]']),
        ('{"time":1,"events":[]}', ["[]"]),
        ('{"time":1,"events":5}', ["5"]),
        ('{"events":""}', ["[]"]),
        ('{"note":"\\ud800","events":"[]"}', ["[]"]),
        ('{"events":"[\\ud800]"}', ["[\udced\udca0\udc80]"]),
        ('{"events":"[\\"\\\\ud800\\"]"}', ['["\\ud800"]']),
    ],
)
def test_an_object_with_an_array_is_a_row_where_rows_are_expected(text: str, batches: list[str]) -> None:
    """And a payload with an unexpected field where payloads are expected, unless it cannot be a payload."""
    found, _ = read(text.encode())
    assert kinds(found) == batches
    assert [each.location.row for each in found] == list(range(1, len(batches) + 1))
    is_row = any(f'"events":{start}' in text for start in ('["', "{", '"'))
    assert {each.location.row for each in records([source_of(text.encode())])} == ({1} if is_row else {None})


@pytest.mark.parametrize(
    "text",
    [
        f'{{"events":{CELL}}}',
        '{"events":[{"event_type":"a","x":["y"],"z":1}]}',
        f'{{"event_type":"a","batch":{CELL}}}',
        '{"time":1,"batch":[{"id":"no event"}]}',
        '{"time":1,"events":[{"event_type":"a",}]}',
        '{"event_type":"a","properties":{"events":"x"}}',
        # Fields may have followed its events.
        f'{{"events":{CELL[:-1]}',
        '{"event_type":"a","note":"\\"events\\":"}',
    ],
)
def test_a_payload_is_not_a_row(text: str) -> None:
    """Nor an event that has an array of events among its properties, nor what is malformed."""
    found, _ = read(text.encode())
    assert kinds(found) == [text]
    assert found[0].location.row is None


@pytest.mark.parametrize("size", range(len(CELL)))
@pytest.mark.parametrize(
    ("wrap", "harmless"),
    [(str, 0), (json.dumps, 1), (lambda cell: json.dumps([cell[1:-1], cell[1:-1]]), 0)],
    ids=["events", "text", "texts"],
)
def test_a_cell_that_is_cut_off(size: int, wrap: Callable[[str], str], harmless: int) -> None:
    """Its complete events are given, and one is lost; nothing is invented."""
    cell = wrap(CELL)
    (batch,), _ = read(f"1\t{cell[: len(cell) - size]}\n".encode(), form="tsv", column="2")
    assert isinstance(batch, Batch)
    decoded = split(batch)
    assert {bytes(event) for event in decoded.events} <= {CELL[1:-1].encode()}
    assert decoded.lost == (1 if decoded.problems and not decoded.rejected else 0)
    assert bool(decoded.problems) == (size > harmless)


@pytest.mark.parametrize(
    ("data", "options", "lost"),
    [
        (b'time,events\n1,"[{""event_type"":""a""},{""event_type"":""b""', {}, 1),
        (b'events,x\n"[{""event_type"":""a""},{""event_', {}, 1),
        ('time,events\n1,"[{""event_type"":""a""},{""é'.encode()[:-1], {}, 1),
        ('time,events,x\n1,"[{""event_type"":""a""},{""é'.encode()[:-1] + b'",2\n', {}, 1),
        ('1\t[{"event_type":"a"},{"é'.encode()[:-1], {"form": "tsv", "column": "2"}, 1),
        (b'time,events\n1,"[{""event_type"":""a""},{""\xff""', {}, None),
        (b'time,events\n\xc3,"[{""event_type"":""a""},{""', {}, None),
    ],
)
def test_a_truncated_file_gives_the_complete_events_of_its_last_cell(
    data: bytes, options: dict[str, Any], lost: int | None
) -> None:
    """Within an open quote, and within a character; what is not UTF-8 in any other way is not truncated."""
    (record,), _ = read(data, **options)
    if lost is None:
        assert isinstance(record, Problem)
        return
    assert isinstance(record, Batch)
    decoded = split(record)
    assert [bytes(event) for event in decoded.events] == [b'{"event_type":"a"}']
    assert ([problem.code for problem in decoded.problems], decoded.lost) == ([Code.CUT_OFF], lost)


@pytest.mark.parametrize(
    ("row", "event"),
    [
        # A column that only the catalog can place, custom properties, and values with the types they had.
        (
            {
                "event_type": "users.behaviors.Purchase",
                "time": "17",
                "user_user_id": "u",
                "user_external_user_id": "007",
                "properties_price": "3.140000104904175",
                "properties_custom_properties_color": "red",
                "properties_app_id": "null",
                "properties_no_such": "12",
            },
            {
                "event_type": "users.behaviors.Purchase",
                "time": 17,
                "user": {"user_id": "u", "external_user_id": "007"},
                "properties": {"price": 3.140000104904175, "custom_properties": {"color": "red"}, "no_such": "12"},
            },
        ),
        # A table that `parse --into` has filled also has the receive time.
        (
            {"event_type": "a", "time": "17", "user_user_id": "u", "received_time": "18"},
            {"event_type": "a", "time": 17, "user": {"user_id": "u"}},
        ),
        # `duration` is an integer for agents, and seconds with a fraction for a session.
        ({"event_type": "a", "duration": "656.655"}, {"event_type": "a", "properties": {"duration": 656.655}}),
        # Our own: bare names where the catalog has them, dotted ones where they say.
        (
            {"event_type": "a", "user_id": "u", "properties.user_id": "x", "app_id": "b"},
            {"event_type": "a", "user": {"user_id": "u"}, "properties": {"user_id": "x", "app_id": "b"}},
        ),
    ],
)
def test_flat_names_are_turned_back(row: dict[str, str], event: dict[str, Any]) -> None:
    assert json.loads(event_of_strings(list(row), list(row.values()))) == event


@pytest.mark.parametrize(
    "event",
    [
        b'{"event_type":"a","properties":{"properties_x":1,"user_external_user_id":2}}',
        b'{"event_type":"a","user_id":"u"}',
        b'{"event_type":"a","properties_no_such":"a property of that name, flat"}',
        b'{"properties_app_id":1}',
    ],
)
def test_what_is_no_flat_row_is_left(event: bytes) -> None:
    """An event with such names inside, a flat event written by parse, and what is not an event."""
    assert event_of_flat_row(event) is None


@pytest.mark.parametrize(
    "before",
    [
        "",
        "WARNING: the query result is being downloaded...\r" + " " * 100 + "\r",
        "\rWARNING: the job result is being downloaded...: 0.0%" + " " * 100 + "\r\r" + " " * 50 + "\r",
        "WARNING: the job result is being downloaded...: |===|\n" + " " * 100 + "\r\r" + " " * 50 + "\r",
    ],
)
def test_a_table_from_the_terminal_that_was_printed_over_a_progress_bar(before: str) -> None:
    """As `td query -w > file` leaves it; a cell that was too wide for the table has lost its end alone."""
    two = CELL.replace("}]", "},{}]")
    end = "1 row in set\n\rUse '-v' option to show detailed messages.     \n"
    talk = "JobID       : 1\nStatus      : success\nResult      :\n"
    for size in range(len(CELL), len(two) + 1):
        cell = two if size == len(two) else two[:size] + "..."
        table = f"{EDGE}| t | events |\n{EDGE}| 1 | {cell} |\n{EDGE}{end}"
        events, intake = events_of((talk + before + table).encode())
        assert events == [CELL[1:-1].encode(), b"{}"][: 2 if size > len(two) - 2 else 1]
        assert intake.lost == (size < len(two))


@pytest.mark.parametrize("batch", [CELL, f'{{"events":{CELL}}}', json.dumps([CELL[1:-1]]), "[]"])
def test_tsv_that_a_spreadsheet_saved(batch: str) -> None:
    """It puts cells with quotes in them in quotes, as in CSV, and doubles those."""
    quoted = f'"{batch}"'.replace('"', '""')[1:-1] if '"' in batch else batch
    found, _ = read(f"time\tevents\r\n1\t{quoted}\r\n2\t{QUOTED}\r\n3\t{QUOTED[:-4]}".encode())
    first, second, last = found
    assert kinds([first, second]) == [CELL if batch.startswith('["') else batch, CELL]
    assert split(last).problems[0].code is Code.CUT_OFF  # type: ignore[arg-type]  # a batch


def test_status_lines_around_the_rows_are_no_rows() -> None:
    """What a person copies from the terminal, query log included."""
    before = "Job 123 is queued.\n  started at 2026\n  finished\nStatus      : success\nResult      :\n"
    for rows in (f"1,{QUOTED}\n", f"1\t{CELL}\n", f"[[1,{TEXT}]]\n", f"[1,{TEXT}]\n"):
        assert kinds(read((before + rows + "1 row in set\n").encode())[0]) == [CELL]


def test_several_tables_in_one_input() -> None:
    """`cat` of files with a header, and what was copied from the terminal twice: every row is read."""
    drawn = f"{EDGE}| t | events |\n{EDGE}| 1 | {CELL} |\n{EDGE}1 row in set\n"
    arrays = f'["time","events"]\n[1,{TEXT}]\n'
    for text in (drawn, arrays, f"time\tevents\n1\t{CELL}\n", f"\ufefftime,events\n1,{QUOTED}\n"):
        found, _ = read((text + text).encode())
        assert kinds([each for each in found if each.location.row]) == [CELL, CELL]
        assert [each.location.row for each in found if each.location.row] == [1, 2]


FORMS = {
    "csv": f"time,events\n1,{QUOTED}\n2,{QUOTED}\n".encode(),
    "tsv": f"1\t{CELL}\n2\t{CELL}\n".encode(),
    "arrays": f"[1,{TEXT}]\n[2,{TEXT}]\n".encode(),
    "array": f"[[1,{TEXT}],\n[2,{TEXT}]]\n".encode(),
    "objects": f'{{"time":1,"events":{TEXT}}}\n{{"time":2,"events":{TEXT}}}\n'.encode(),
    "msgpack": msgpack.packb([1, CELL]) + msgpack.packb([2, CELL]),
}
forms = pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)


@forms
@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress, bz2.compress, partial(lzma.compress, preset=0)])
def test_a_packed_file_that_was_cut_gives_what_a_plain_one_gives(data: bytes, pack: Callable[[bytes], bytes]) -> None:
    """The complete events of its last row, with a problem that tells what was lost; then, one for the file."""
    data = data.replace(b"}]", b"},{}]") if b"}]" in data else data
    start = data.rindex(b"event_type") - 4
    for size in range(start, len(data), 2):
        found = [events_of(each) for each in (data[:size], pack(data[:size]) + pack(data[size:] + data)[:9])]
        (events, intake), (packed_events, packed_intake) = found
        assert packed_events[: len(events)] == events
        assert packed_intake.lost == intake.lost
        assert packed_intake.log.result().kept[-1].code is Code.UNREADABLE
        assert len(packed_events) > 1 or size < start + len(CELL) + 20


@pytest.mark.parametrize(
    "pack",
    [partial(gzip.compress, compresslevel=1), zstd.compress, partial(bz2.compress, compresslevel=1), lzma.compress],
)
def test_parse_and_count_recover_a_stream_truncated_anywhere(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Truncated compressed data: all that can be decompressed is used, and the problem says that it is not all."""
    dice = Random(5)
    events = [f'{{"event_type":"a","id":"{dice.randbytes(400).hex()}","time":1}}' for _ in range(600)]
    rows = [{"time": 1, "events": "[" + ",".join(events[n : n + 300]) + "]"} for n in (0, 300)]
    packed = pack("\n".join(map(json.dumps, rows)).encode())
    path, output = tmp_path / "rows.jsonl", tmp_path / "events.jsonl"
    path.write_bytes(packed[: len(packed) * 7 // 10])
    parsed = parse.run(parse.ParseRequest(sources=sources([str(path)]), output=output))
    counted = count.run(count.CountRequest(sources([str(path)])))
    written = output.read_bytes().splitlines()
    assert written == [event.encode() for event in events[: len(written)]]
    assert 300 < len(written) == counted.total.count < 600
    for outcome in (parsed, counted):
        assert [problem.code for problem in outcome.problems.kept] == [Code.CUT_OFF, Code.UNREADABLE]
        assert (outcome.balance.rows_read, outcome.balance.lost, outcome.exit_code) == (2, 1, ExitCode.IO)


TWO = CELL.replace("}]", "},{}]")
AS_STRINGS = [CELL[1:-1].encode(), b"{}"]
AS_MSGPACK = [msgpack.packb(each) for each in json.loads(TWO)]


@pytest.mark.parametrize(
    ("before", "row", "elements"),
    [
        (b"", f'{{"time":1,"events":{TWO},"x":[]}}'.encode(), AS_STRINGS),
        (b"", f'{{"time":1,"events":{json.dumps(TWO)},"x":[]}}'.encode(), AS_STRINGS),
        (b"", f'{{"events":{json.dumps(TWO)},"x":[]}}'.encode(), AS_STRINGS),
        (msgpack.packb([0, "[]"]), msgpack.packb([1, TWO]), AS_STRINGS),
        (msgpack.packb([0, "[]"]), msgpack.packb([1, TWO, 7]), AS_STRINGS),
        (msgpack.packb([0, "[]"]), msgpack.packb([1, json.loads(TWO), 7]), AS_MSGPACK),
        (msgpack.packb([0, "[]"]), msgpack.packb([1, [CELL[1:-1], "{}"], 7]), AS_STRINGS),
    ],
)
def test_a_row_that_is_cut_anywhere(before: bytes, row: bytes, elements: list[bytes]) -> None:
    """Its complete events are recovered, and one problem tells what was lost, or that nothing was."""
    start = 1 if before else row.index(b'"events":') + 11
    for size in range(start, len(row)):
        events, intake = events_of(before + row[:size])
        (problem,) = intake.log.result().kept
        assert problem.location.row == (2 if before else 1)
        assert events == AS_STRINGS[: len(events)]
        found = row[:size].replace(b"\\", b"")
        assert len(events) == sum(found.count(element) for element in elements)
        assert before or problem.code is (Code.CUT_OFF if intake.lost else Code.BAD_ROW)
        assert before or len(events) == 2 or intake.lost == 1


@pytest.mark.parametrize("cell", [TWO, json.dumps(TWO)])
def test_an_array_that_is_the_only_row_and_cut_off(cell: str) -> None:
    """It is distinguished from an array of documents, and the column is reported."""
    row = f"[1,{cell},2]"
    for size in range(len(row) - len(cell) + len(CELL) - 2, len(row)):
        found, shapes = read(row[:size].encode())
        assert [str(shape) for shape in shapes] == ["column 2, JSON arrays without header"]
        decoded = split(found[0])  # type: ignore[arg-type]  # a batch
        assert [bytes(event) for event in decoded.events] == [CELL[1:-1].encode(), b"{}"][: len(decoded.events)]


def events_of(data: bytes) -> tuple[list[bytes], EventReader]:
    """The events of a source, and what was met on the way."""
    intake = EventReader()
    return [bytes(each) for _, some in intake.events(read(data)[0], split) for each in some], intake


def test_a_backslash_is_a_name_next_to_a_name_with_a_line_end() -> None:
    found, _ = read(b'event_type,id,\\,"a\nb"\na,0,x,y\n')
    assert kinds(found) == ['{"event_type":"a","id":"0","properties":{"\\\\":"x","a\\nb":"y"}}']


ROW = {"time": 1, "batch": CELL}
PACKED = msgpack.packb([1, CELL])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (f"time,batch\n1,{QUOTED}\n".encode(), Code.UNKNOWN_FORM),
        (f"time\tbatch\n1\t{CELL}\n".encode(), Code.UNKNOWN_FORM),
        (json.dumps(ROW).encode(), Code.BAD_ROW),
        (json.dumps({"time": 1, "batch": json.loads(CELL)}).encode(), Code.BAD_ROW),
        (json.dumps({"data": [ROW]}).encode(), Code.BAD_ROW),
        (f'["time","batch"]\n[1,{TEXT}]\n'.encode(), Code.BAD_ROW),
        (f"{EDGE}|time | batch |\n{EDGE}| 1 | {CELL} |\n{EDGE}".encode(), Code.BAD_ROW),
    ],
)
def test_a_column_that_is_not_there(data: bytes, code: Code) -> None:
    """The problem names the columns that are, a similar one first; another column is not taken in its place."""
    (problem,) = read(data, column="bath")[0]
    assert isinstance(problem, Problem)
    assert problem.code is code
    assert "no column `bath`" in problem.message
    assert problem.hint == "Did you mean --column batch? The columns are: time, batch."
    (problem,) = read(data, column="other")[0]
    assert isinstance(problem, Problem)
    assert problem.hint == "The columns are: time, batch."
    assert kinds(read(data, column="batch")[0])[0].startswith("[{")


@pytest.mark.parametrize("data", [f"1,{QUOTED}\n".encode(), f"[1,{TEXT}]\n".encode(), PACKED])
def test_a_column_number_that_is_not_there(data: bytes) -> None:
    (problem,) = read(data, column="3")[0]
    assert isinstance(problem, Problem)
    assert problem.message.endswith("has no column `3`")
    assert problem.hint == "Use the number of a column: 1 to 2."


def test_the_hint_about_many_columns_is_short() -> None:
    (problem,) = read(json.dumps({"batch": CELL} | {f"c{number}": 1 for number in range(40)}).encode(), column="x")[0]
    assert isinstance(problem, Problem)
    assert problem.hint.endswith(", c10, and 29 more.")


@pytest.mark.parametrize("name", ["event", "Events", "EVENTS", "evnts", "data"])
def test_a_payload_with_a_mistyped_name(name: str, tmp_path: Path) -> None:
    """Where payloads are expected it is an error that says what to rename; elsewhere it may be a row, which is read."""
    path = tmp_path / "x.json"
    path.write_text(json.dumps({name: json.loads(CELL)}), encoding="utf-8")
    outcome = validate.run(validate.ValidateRequest(sources=sources([str(path)]), selection=Selection.of([], [])))
    (problem,) = outcome.problems.kept
    assert (problem.code, outcome.balance.rows_rejected) == (Code.EVENTS_MISSING, 1)
    assert problem.message == f"`events` is missing: the events are in `{name}`"
    assert problem.hint == f"Rename `{name}` to `events`."
    counted = count.run(count.CountRequest(sources([str(path)])))
    (problem,) = counted.problems.kept
    assert (problem.code, problem.severity) == (Code.EVENTS_MISSING, Severity.WARNING)
    assert f"rename `{name}` to `events`" in problem.hint
    assert (counted.total.count, counted.exit_code) == (1, ExitCode.OK)
    assert kinds(read(path.read_bytes(), column=name)[0]) == [path.read_text("utf-8")[len(name) + 5 : -1]]


@pytest.mark.parametrize(
    "row",
    [
        {"time": 1, "event": CELL},
        {"time": 1, "event": json.loads(CELL)},
        {"TIME": 1, "EVENTS": json.loads(CELL)},
        {"event": CELL},
        {"event": [CELL.strip("[]")]},
        {"id": 1, "batch": json.loads(CELL)},
    ],
)
@pytest.mark.parametrize("reading", [ReadOptions(), ReadOptions.of()])
def test_a_row_whose_column_has_another_name(row: dict[str, Any], reading: ReadOptions) -> None:
    """It has the time of receipt, its cell is a string, or it has other cells and another name: nothing is wrong."""
    (batch,) = read(json.dumps(row).encode(), reading)[0]
    assert isinstance(batch, Batch)
    assert [json.loads(bytes(event)) for event in split(batch).events] == json.loads(CELL)


def test_a_mistyped_name_next_to_other_fields() -> None:
    """Only a name that looks like `events`: with others, anything may be a row."""
    text = json.dumps({"Events": json.loads(CELL), "source": "test"}).encode()
    assert kinds(read(text, ReadOptions())[0]) == [text.decode()]
    assert kinds(read(text)[0])[0] is Code.EVENTS_MISSING


def test_a_long_row_is_recognized_by_its_first_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are not taken out of it: there may be half a million of them in the part that is looked at."""
    taken = 0
    take_value = Scanner.take_value

    def count_values(scanner: Scanner) -> bytes | None:
        nonlocal taken
        taken += 1
        return take_value(scanner)

    monkeypatch.setattr(Scanner, "take_value", count_values)
    assert is_row_per_line(Scanner(BytesIO(b"[1" + b",1" * LONGEST_PEEK))) is True
    assert taken == 1
