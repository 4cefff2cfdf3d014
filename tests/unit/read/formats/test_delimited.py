from collections.abc import Sequence
from io import BytesIO

import pytest

from td_currents_cli.model import Batch, Code, Problem, Record
from td_currents_cli.read import scanner as module
from td_currents_cli.read.formats.delimited import RowLines, csv_rows, table_with_events
from td_currents_cli.read.scanner import Scanner

CELL = b'"[{""id"":""%s""}]"'


def read(text: bytes) -> list[Record]:
    scanner = Scanner(BytesIO(text))
    table = table_with_events(scanner.peek_line())
    assert table is not None
    scanner.take_line()
    return list(csv_rows(RowLines(scanner), "x", table))


def kinds(found: Sequence[Record]) -> list[bytes | Code]:
    """Return the data of each batch and the code of each problem."""
    return [each.data if isinstance(each, Batch) else each.code for each in found]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b"time,events", ["time", "events"]),
        (b'"time","events"\r', ["time", "events"]),
        (b"events", ["events"]),
        (b"time,event", None),
        (b"time;events", None),
        (b'"time,events', None),
        (b"caf\xe9,events", None),
        (b"a\rb,events", None),
        (b"", None),
    ],
)
def test_a_header_names_an_events_column(line: bytes, names: list[str] | None) -> None:
    """Nothing else is a header, and nothing raises."""
    table = table_with_events(line)
    assert (table and table.names) == names


@pytest.mark.parametrize("chunk", [1, 10, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rows_are_batches_with_their_number_and_line(end: bytes, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any line ends, and with or without one on the last line; empty lines are not rows."""
    monkeypatch.setattr(module, "CHUNK", chunk)
    text = end.join([b"time,events,note", b"1," + CELL % b"a" + b",x", b"", b"2," + CELL % b"b" + b","])
    for last in (b"", end):
        found = read(text + last)
        assert kinds(found) == [b'[{"id":"a"}]', b'[{"id":"b"}]']
        assert [(each.location.row, each.location.line) for each in found] == [(1, 2), (2, 4)]
    assert found[1].location.offset == text.index(b"2,")


@pytest.mark.parametrize(
    ("cell", "batch"),
    [
        (b"", b"[]"),
        (b'""', b"[]"),
        (b"null", b"[]"),
        (b'" [] "', b"[]"),
        (b"[1]", b"[1]"),
        (b'"{""events"":[]}"', b'{"events":[]}'),
        ('"[{""é"":""\u2028😀""}]"'.encode(), '[{"é":"\u2028😀"}]'.encode()),
        (b'"[{""a"":""\\u0000""}]"', b'[{"a":"\\u0000"}]'),
        (b'"[\r\n  {""a"":\r\n 1}\r\n]"', b'[\r\n  {"a":\r\n 1}\r\n]'),
    ],
)
def test_a_cell_is_the_text_of_a_batch(cell: bytes, batch: bytes) -> None:
    """Empty and null cells contain no events; everything else is unchanged, line ends included."""
    assert kinds(read(b"events,x\n" + cell + b",1\n")) == [batch]
    # A quote in the middle of a cell is a character, although it makes their number odd.
    assert kinds(read(b"events,x\n" + cell + b',5" pipe\n[1],6" pipe\n')) == [batch, b"[1]"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"1", Code.BAD_ROW),
        (b"1,[],3", Code.BAD_ROW),
        (b'1,"secret@example.com"x', Code.BAD_ROW),
        (b"1,a\rb", Code.BAD_ROW),
        (b"1,\xff", Code.NOT_UTF8),
        (b'1,"[]', Code.BAD_ROW),
        (b'1,"[{""id"":""x""}]', Code.BAD_ROW),
        (b'1,"[\n{""id"":""x\n""}]', Code.BAD_ROW),
    ],
)
def test_a_malformed_row_costs_itself(row: bytes, code: Code) -> None:
    """Its neighbours are read; it comes with its number and its own bytes, for the rejects file."""
    before, after = b"1," + CELL % b"a", b"3," + CELL % b"c"
    for last in (b"", b"\n" + after):
        found = read(b"time,events\n" + before + b"\n" + row + last)
        assert kinds(found) == [b'[{"id":"a"}]', code] + ([b'[{"id":"c"}]'] if last else [])
        problem = found[1]
        assert isinstance(problem, Problem)
        assert (problem.location.row, problem.location.line, problem.raw) == (2, 3, row)
        assert "secret" not in problem.message + problem.hint


@pytest.mark.parametrize(
    ("cell", "batch"),
    [
        (b'[{"event_type":""a""}]', b'[{"event_type":"a"}]'),
        (b'[{"event_type":"a,b","id":""""}]', b'[{"event_type":"a,b","id":""}]'),
        (b'{"events":[{"event_type":"a\\""b"}]}', b'{"events":[{"event_type":"a\\"b"}]}'),
        (b'[{"event_type":"a\\"","id":""""}]', Code.BAD_ROW),
        (b'[""a"]', Code.BAD_ROW),
    ],
)
def test_quotes_that_were_not_doubled(cell: bytes, batch: bytes | Code) -> None:
    """They make no difference where the cell is JSON with an event all the same."""
    assert kinds(read(b'time,events\n1,"%b"\n2,[]\n' % cell)) == [batch, b"[]"]


def test_the_work_grows_with_the_rows_not_with_their_square() -> None:
    """A pretty-printed cell of a hundred thousand lines, and a quote that is never closed before as many."""
    pretty = b'1,"[\n' + b"  1,\n" * 100_000 + b'  1]"\n'
    never = b'2,"[\n' + b"x\n" * 100_000
    found = kinds(read(b"time,events\n" + pretty + never))
    assert [len(each) if isinstance(each, bytes) else each for each in found] == [500_006, Code.BAD_ROW]
