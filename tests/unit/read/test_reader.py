import gzip
import os
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from threading import Timer

import pytest

from td_currents_cli.model import Batch, Code, Problem, Record, Severity
from td_currents_cli.read import Source, records, sources
from td_currents_cli.read import scanner as module
from tests.memory import source_of

EVENT = b'{"event_type":"users.messages.email.Open","id":"1"}'
PAYLOAD = b'{"events":[' + EVENT + b"]}"


def read(data: bytes, empty: str | None = None) -> list[Record]:
    return list(records([source_of(data, empty)]))


def kinds(found: Iterable[Record]) -> list[bytes | Code]:
    """Return the data of each batch and the code of each problem."""
    return [each.data if isinstance(each, Batch) else each.code for each in found]


def test_rows_are_numbered_and_payloads_are_not() -> None:
    """The number of the row is how people find it in a table; the first is 1, the header is none.

    `cat` of row files without a last line end gives several on a line, each with its own number and column.
    """
    row = b'{"time":1,"events":"[]"}'
    found = read(b"\n".join([PAYLOAD, row, b"[" + row + b"," + row + b"]", row + row]))
    assert [each.location.row for each in found] == [None, 1, 2, 3, 4, 5]
    places = [(1, 1), (2, 1), (3, 2), (3, 27), (4, 1), (4, 25)]
    assert [(each.location.line, each.location.column) for each in found] == places


def test_rows_of_both_kinds_are_numbered_together() -> None:
    """An array among objects does not start anew."""
    found = read(b'[1,"[]"]\n{"time":2,"events":"[]"}\n[3,"[]"]\n')
    assert [each.location.row for each in found] == [1, 2, 3]


@pytest.mark.parametrize("text", [PAYLOAD, b'events,time\r\n"[{""id"":""\xc3\xa9""}]",1\r\n"[]",2\r\n'])
@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_other_encodings_are_converted(encoding: str, text: bytes) -> None:
    """With and without a byte order mark, at the same lines and columns, with a warning; JSON does not allow a mark."""
    converted, *found = read(text.decode().encode(encoding))
    assert isinstance(converted, Problem)
    assert (converted.code, converted.severity) == (Code.BYTE_ORDER_MARK, Severity.WARNING)
    if encoding == "utf-8-sig":
        assert ("JSON" in converted.message) == (text == PAYLOAD)
        assert kinds(found) == kinds(read(text))
    else:
        assert converted.message == f"the input is {encoding[:6].upper()}, not UTF-8; it was converted"
        assert found == read(text)


@pytest.mark.parametrize("data", [b"", b"\n", b" \t\r\n", b"\xef\xbb\xbf"])
def test_an_empty_input_is_an_error(data: bytes) -> None:
    """An export that failed leaves an empty file: a check must not be green. Where it may be empty, it is a warning."""
    *_, problem = read(data)
    *_, warning = read(data, "no rows")
    assert isinstance(problem, Problem)
    assert isinstance(warning, Problem)
    assert (problem.code, problem.severity) == (Code.EMPTY_INPUT, Severity.ERROR)
    assert (warning.code, warning.severity, warning.message) == (Code.EMPTY_INPUT, Severity.WARNING, "no rows")
    assert str(warning.location) == "x"


@pytest.mark.parametrize(
    ("data", "name", "hint"),
    [
        (b"PARE\x15\x04\r", "Parquet whose columns are encrypted", ""),
        (b"ORC\x0a", "ORC", ""),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel", "Save it as CSV."),
        (b"a.json".ljust(257, b"\0") + b"ustar\x0000", "tar", "Extract it: tar -xf FILE."),
        (b"SQLite format 3\0\x10", "SQLite", ""),
        (b"\n <!DOCTYPE html><p>Sign in", "HTML", ""),
        (b"<html>\n", "HTML", ""),
        (b'<?xml version="1.0"?>\n', "XML", ""),
        (b"<Error><Code>AccessDenied</Code>", "XML", ""),
        (b"// Custom event\n" + PAYLOAD, "comment", "Remove the comment."),
        (b"/* x */ " + PAYLOAD, "comment", "Remove the comment."),
        (b"# x\ntime,events\n", "comment", "Remove the comment."),
        (b"\x89PNG\r\r\x1a\r\0\r", "binary", ""),
        (b"a\rb\r\0\r", "binary", ""),
        (b"to be done\n", "not JSON, and no column", ""),
        (b"time,what\n1,2\n", "not JSON, and no column", "Name the column"),
        (b"time:events\n1:[]\n", "not JSON, and no column", ""),
        (b"Job 123 is queued.\n", "not JSON, and no column", ""),
        (b"caf\xe9,events\n", "not JSON, and no column", "Name the column"),
        (b'"unclosed,events\n', "not JSON, and no column", "Name the column"),
        (b"events\r[]\r", "carriage returns", "Convert the file: tr "),
        (b"t\tevents\r1\t[]\r", "carriage returns", "Convert the file: tr "),
        (b'1,"[{""a"":1}]"\r2', "carriage returns", "Convert the file: tr "),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, name: str, hint: str) -> None:
    """A hint is given only where following it helps."""
    (problem,) = read(data)
    assert isinstance(problem, Problem)
    assert problem.code is Code.UNKNOWN_FORM
    assert name in problem.message
    assert problem.hint.startswith(hint)
    assert bool(problem.hint) == bool(hint)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (EVENT + b"\n", EVENT.replace(b"}", b',"a":"%s"}' % (b"a" * 100_000))),
        (b"[" + EVENT + b",", b'{"a":"%s"}]' % (b"a" * 100_000)),
        (b"events,time\n[],1\n", b'"[%s]",1\n' % (b" " * 100_000)),
        (b"[[1,[]],", b"[1,[%s]]]" % (b" " * 100_000)),
        (b"1\t[]\n", b"1\t[%s]\n" % (b" " * 100_000)),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_document_that_is_too_large_ends_its_source(
    small: bytes, large: bytes, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """What comes before it is used, and the next source is read."""
    for name, data in (("a", small + large + b"\n" + small), ("b", small)):
        (tmp_path / name).write_bytes(pack(data))
    paths = [str(tmp_path / "a"), str(tmp_path / "b")]
    first, problem, second, *_ = records(sources(paths, max_document_size=90_000))
    assert (isinstance(first, Batch), isinstance(second, Batch)) == (True, True)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.location.source) == (Code.DOCUMENT_TOO_LARGE, paths[0])
    assert problem.location.offset == len(small)
    assert problem.message.startswith("the document or row that begins here is larger than 90000 bytes")


def test_an_archive_is_read_file_by_file() -> None:
    """Those that are hidden or contain no events are counted; an archive without any is empty."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("b/x.json", "part-0", ".DS_Store", "__MACOSX/._x.json", "_SUCCESS", "notes.txt"):
            archive.writestr(name, {"b/x.json": EVENT, "part-0": PAYLOAD, "notes.txt": b"none"}.get(name, b""))
    one, two, note = read(buffer.getvalue())
    assert [(kinds([each]), each.location.source) for each in (one, two)] == [
        ([EVENT], "x/b/x.json"),
        ([PAYLOAD], "x/part-0"),
    ]
    assert isinstance(note, Problem)
    assert (note.code, note.severity, note.location.source) == (Code.LEFT_OUT, Severity.INFO, "x")
    assert note.message == (
        "4 files left out: 2 hidden (.DS_Store, __MACOSX/._x.json), 2 without events (_SUCCESS, notes.txt)"
    )
    with zipfile.ZipFile(buffer, "w"):
        pass
    assert kinds(read(buffer.getvalue())) == [Code.EMPTY_INPUT]


def test_binary_junk_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line of a large file without line ends is enough to know."""
    monkeypatch.setattr(module, "CHUNK", 1 << 10)
    monkeypatch.setattr(module, "LONGEST_PEEK", 1 << 10)
    source = source_of(b"\x80" * 1_000_000)
    stream = source.open()
    source.open = lambda: stream
    found = records([source])
    assert kinds([next(found)]) == [Code.UNKNOWN_FORM]
    assert stream.tell() < 200_000
    assert list(found) == []


def test_a_source_that_cannot_be_opened_does_not_stop_the_next(tmp_path: Path) -> None:
    problem, batch = records([Source("gone.json", tmp_path / "gone.json"), source_of(PAYLOAD)])
    assert isinstance(problem, Problem)
    assert (problem.code, str(problem.location)) == (Code.UNREADABLE, "gone.json")
    assert problem.message == "No such file or directory"
    assert kinds([batch]) == [PAYLOAD]


@pytest.mark.parametrize(
    ("whole", "torn"),
    [
        (EVENT + b"\n", EVENT[:-9]),
        (b"[" + EVENT + b",", EVENT[:-9]),
        (EVENT + b"\n", b""),
        (b"events,time\n[],1\n", b'"[{""id'),
        (b"events,time\n[],1\n", b"[]"),
    ],
)
def test_a_truncated_file_is_one_problem(whole: bytes, torn: bytes) -> None:
    """What came before is given; the tear is not reported a second time as bad JSON or a bad row."""
    batch, problem = read(gzip.compress(whole + torn)[:-8])
    assert isinstance(batch, Batch)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.message) == (Code.UNREADABLE, "the gzip data is truncated")


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is read from its descriptor, and stays open for whoever comes after."""
    path = tmp_path / "in.json"
    path.write_bytes(PAYLOAD)
    with path.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        (batch,) = records(sources(["-"]))
        assert kinds([batch]) == [PAYLOAD]
        assert batch.location.source == "<stdin>"
        assert not stream.closed
        os.fstat(stream.fileno())


def test_a_non_blocking_pipe_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that shares the pipe may have made it so; "nothing yet" is not its end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def write() -> None:
        os.write(writing, PAYLOAD)
        os.close(writing)

    with os.fdopen(reading) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        timer = Timer(0.2, write)
        timer.start()
        assert kinds(records(sources(None))) == [PAYLOAD]
        timer.join()
