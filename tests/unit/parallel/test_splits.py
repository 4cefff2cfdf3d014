from collections.abc import Iterator
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.model import Batch, Code, Problem, Record
from td_currents_cli.parallel import splits
from td_currents_cli.parallel.splits import FileSplit, SplitFormat, SplitReader, file_splits, is_splittable
from td_currents_cli.read import Source, records
from td_currents_cli.read.formats.delimited import table_with_events
from tests.memory import source_of

EVENT = b'{"event_type":"a","id":"1"}\n'
ROW = b'1,"[{""event_type"":""a""}]"\n'


class FailingFile(RawIOBase):
    """A file whose reads fail from an offset on, as on a disk that is damaged."""

    def __init__(self, data: bytes, end: int) -> None:
        super().__init__()
        self._data = BytesIO(data)
        self._end = end

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._data.seek(offset, whence)

    def read(self, size: int = -1, /) -> bytes:
        if self._data.tell() >= self._end:
            raise OSError(5, "Input/output error")
        return self._data.read(min(size, self._end - self._data.tell()))


def failing_source(data: bytes, end: int) -> Any:
    source = source_of(data)
    source.open = lambda: FailingFile(data, end)
    source.plain_size = lambda: len(data)
    return source


def kinds(found: Iterator[Record]) -> list[Code | None]:
    return [each.code if isinstance(each, Problem) else None for each in found]


@pytest.mark.parametrize(
    ("split_format", "begin", "line"), [(SplitFormat.JSON, b"", EVENT), (SplitFormat.CSV, b"time,events\n", ROW)]
)
@pytest.mark.parametrize("cut", [0, 5])
def test_a_read_that_fails_ends_a_split_irregularly(
    split_format: SplitFormat, begin: bytes, line: bytes, cut: int
) -> None:
    """Whoever reads on from there meets the error again and reports it; nothing is lost or read twice."""
    data = begin + line * 10
    end = len(begin) + len(line) * 4 + cut
    source = failing_source(data, end)
    reader = SplitReader(FileSplit(source=source, format=split_format, table=table_with_events(begin)))
    taken = list(reader.records())
    assert all(isinstance(each, Batch) for each in taken)
    assert not reader.end.is_last
    assert reader.end.offset <= end
    assert kinds(records([source]))[-1] is Code.UNREADABLE
    broken = failing_source(data, 0)
    assert (
        list(SplitReader(FileSplit(source=broken, format=split_format, table=table_with_events(begin))).records()) == []
    )


@pytest.mark.parametrize(
    ("row", "is_regular"),
    [(b'{"events":[]}', True), (b'{"batch":{"events":[{"event_type":"a"}]}}', False), (b"[1,[]]", False)],
)
def test_what_is_read_otherwise_without_the_object_around_it_ends_a_split(row: bytes, *, is_regular: bool) -> None:
    """A record is read again from its own place, to show a duplicate id."""
    line = b'{"Records":[%b,%b]}\n' % (row, row)
    source = failing_source(EVENT + line + EVENT, 1000)
    reader = SplitReader(FileSplit(source=source, format=SplitFormat.JSON))
    assert len(list(reader.records())) == (4 if is_regular else 1)
    assert reader.end.is_last == is_regular


def test_a_file_that_cannot_be_read_is_one_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reader reports why."""
    monkeypatch.setattr(splits, "MIN_SIZE", 1)
    broken = failing_source(EVENT * 10, 0)
    assert not is_splittable(broken)
    assert [split.format for split in file_splits(broken)] == [SplitFormat.WHOLE]
    assert not is_splittable(Source("gone", tmp_path / "gone"))


@pytest.mark.parametrize(
    ("data", "split_format"),
    [
        (EVENT * 10, SplitFormat.JSON),
        (b"time,events\n" + ROW * 10, SplitFormat.CSV),
        # TSV has no quotes: what has one column may be either, which is detected where the file is read in one go.
        (b"events\n" + b'[{"event_type":"a"}]\n' * 10, SplitFormat.WHOLE),
    ],
)
def test_which_files_are_split(
    data: bytes, split_format: SplitFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those in other encodings."""
    monkeypatch.setattr(splits, "MIN_SIZE", 1)
    monkeypatch.setattr(splits, "SPLIT_SIZES", (16, 16))
    path = tmp_path / "x"
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-32"):
        path.write_bytes(data.decode().encode(encoding))
        expected = split_format if encoding == "utf-8" else SplitFormat.WHOLE
        assert {each.format for each in file_splits(Source("x", path))} == {expected}
        assert is_splittable(Source("x", path)) is (expected is not SplitFormat.WHOLE)


def test_a_document_that_is_too_large_ends_a_split(tmp_path: Path) -> None:
    """It is reported by whoever reads on."""
    path = tmp_path / "x"
    path.write_bytes(EVENT * 3 + EVENT.replace(b'"1"', b'"%s"' % (b"1" * 5000)) + EVENT)
    source = Source("x", path, max_document_size=1000)
    reader = SplitReader(FileSplit(source=source, format=SplitFormat.JSON))
    assert len(list(reader.records())) <= 3
    assert not reader.end.is_last
    assert kinds(records([source])) == [None, None, None, Code.DOCUMENT_TOO_LARGE]
