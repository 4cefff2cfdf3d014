"""The store: whole rows only."""

import csv
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from td_currents_cli.errors import OutputError, TdcurError, UsageError
from td_currents_cli.serve.store import Store, StoredRow

ROW = StoredRow(5, {"events": '[{"id":"a\u2028é"}]'}, 1)
LINE = '{"time":5,"events":"[{\\"id\\":\\"a\u2028é\\"}]"}\n'


@contextmanager
def stored(path: Path) -> Iterator[Store]:
    store = Store(path)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """A disk that is full once a file has this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_rows_are_there_when_append_returns(tmp_path: Path) -> None:
    """A row is with the operating system before its sender is told 200; a later run adds to the file."""
    path = tmp_path / "rows.jsonl"
    for number in (1, 2):
        with stored(path) as store:
            store.append(ROW)
            assert path.read_text("utf-8") == LINE * number


def test_csv_has_one_header(tmp_path: Path) -> None:
    """A CSV store begins with its header, once, and Python's own reader reads it."""
    path = tmp_path / "rows.CSV"
    for _ in range(2):
        with stored(path) as store:
            assert not store.repaired
            store.append(ROW)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert rows == [{"time": "5", "events": ROW.columns["events"], "extra": ""}] * 2


@pytest.mark.parametrize("kept", range(1, len(LINE.encode())))
def test_a_torn_json_line_is_ended(tmp_path: Path, kept: int) -> None:
    """Wherever a crash cut the last line, the next row has a line of its own, and the cut is told."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(LINE.encode() + LINE.encode()[:kept])
    with stored(path) as store:
        assert store.repaired
        store.append(ROW)
    lines = path.read_bytes().split(b"\n")
    assert lines[1] == LINE.encode()[:kept].rstrip(b"\n")
    assert json.loads(lines[2]) == json.loads(lines[0]) == json.loads(LINE)


CSV_ROW = '5,"[{""id"":""a\n,é""}]","{""n"":1}"\n'.encode()


@pytest.mark.parametrize("kept", range(1, len(CSV_ROW)))
def test_a_torn_csv_row_is_ended(tmp_path: Path, kept: int) -> None:
    """Wherever a crash cut the last row, inside quotes too, the next one is read as itself."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"time,events,extra\n" + CSV_ROW + CSV_ROW[:kept])
    with stored(path) as store:
        assert store.repaired
        store.append(ROW)
    rows = list(csv.reader(path.read_bytes().decode(errors="replace").splitlines(keepends=True)))
    assert rows[1] == ["5", '[{"id":"a\n,é"}]', '{"n":1}']
    assert rows[-1] == ["5", ROW.columns["events"], ""]
    # Never a good row, although its events may be complete: it has more cells than the header.
    assert len(rows[2]) > 3
    assert len(rows) == 4


def test_a_row_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    """A full disk leaves whole rows, and room again means rows again."""
    path = tmp_path / "rows.jsonl"
    with stored(path) as store:
        store.append(ROW)
        with files_at_most(len(LINE.encode()) + 10), pytest.raises(OSError, match="File too large"):
            store.append(ROW)
        assert path.read_text("utf-8") == LINE
        store.append(ROW)
    assert path.read_text("utf-8") == LINE * 2


def test_a_file_that_is_gone_takes_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with stored(path) as store:
        store.append(ROW)
        path.unlink()
        with pytest.raises(OSError, match="the file was removed"):
            store.append(ROW)
    assert not path.exists()


def test_one_receiver_at_a_time(tmp_path: Path) -> None:
    """Two receivers on one store could cut into each other's rows."""
    path = tmp_path / "rows.jsonl"
    with stored(path), pytest.raises(OutputError, match="in use by another `tdcur serve`"):
        Store(path)
    with stored(path) as store:
        assert store.size == 0


@pytest.mark.parametrize("present", [b"time,events\n", b"id,name,x\n1,2,3\n", b"time,events,extra", b"x"])
def test_another_csv_file_is_left_alone(tmp_path: Path, present: bytes) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(present)
    with pytest.raises(OutputError, match="its first line is not `time,events,extra`"):
        Store(path)
    assert path.read_bytes() == present


@pytest.mark.parametrize(
    ("name", "error", "message", "hint"),
    [
        ("no/rows.jsonl", OutputError, "No such file", "Create the folder "),
        (".", OutputError, "Is a directory", ""),
        ("rows.tsv", UsageError, "cannot store rows as .tsv", "Name the store *.jsonl or *.csv."),
        ("rows.jsonl.gz", UsageError, "cannot store rows as .gz", "Name the store *.jsonl or *.csv."),
        ("rows.parquet", UsageError, "cannot store rows as .parquet", "Name the store *.jsonl or *.csv."),
    ],
)
def test_what_can_be_no_store(tmp_path: Path, name: str, error: type[TdcurError], message: str, hint: str) -> None:
    with pytest.raises(error) as failed:
        Store(tmp_path / name)
    assert message in failed.value.message
    assert failed.value.hint.startswith(hint)
    assert list(tmp_path.iterdir()) == []


def test_a_device_will_do() -> None:
    with stored(Path("/dev/null")) as store:
        store.append(ROW)
        assert store.size == 0


def test_a_full_device_fails_each_row() -> None:
    """Where nothing can be taken back either, each row is refused on its own."""
    with stored(Path("/dev/full")) as store:
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                store.append(ROW)
