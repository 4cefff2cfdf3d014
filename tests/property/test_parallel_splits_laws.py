"""Laws of reading files in splits: it gives what reading them in one go gives."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from td_currents_cli.errors import InputError
from td_currents_cli.model import Batch, Problem, Record
from td_currents_cli.parallel import map as parallel_map
from td_currents_cli.parallel import splits
from td_currents_cli.parallel.map import map_records
from td_currents_cli.parallel.pool import ordered_map
from td_currents_cli.parallel.splits import FileSplit, SplitFormat
from td_currents_cli.read import records, sources
from td_currents_cli.read.options import DEFAULT, INGESTED, ReadOptions, SourceFormat

EVENT = '{"event_type":"a","id":"é","time":1}'
JSON_PIECES = st.sampled_from(
    [
        f'{{"events":[{EVENT},{EVENT}]}}\n',
        f"{EVENT}\n",
        f"{EVENT}\r\n",
        f"{EVENT}{EVENT}\n",
        f"{EVENT} {EVENT}",
        f" {EVENT}\n",
        json.dumps({"time": 1, "events": f"[{EVENT}]"}) + "\n",
        json.dumps({"time": 1, "events": "[{"}) + "\n",
        f'{{"time":1,"events":[{EVENT}]}}\n',
        f'{{"events":[{EVENT}],"time":1}}{{"time":1,"events":[]}}\n',
        f'{{"time":1,"events":[{EVENT},{{"a\n',
        '{\n  "events": [\n    {"event_type": "b"}\n  ]\n}\n',
        f'{{"events":[\n{EVENT},\n{EVENT}\n]}}\n',
        json.dumps({"data": [{"time": 1, "events": f"[{EVENT}]"}] * 2}) + "\n",
        json.dumps({"columns": ["time", "events"], "data": [[1, f"[{EVENT}]"]]}, indent=1) + "\n",
        json.dumps({"a": {"0": f"[{EVENT}]"}}) + "\n",
        f"[\n{EVENT},\n{EVENT}\n]\n",
        f"[{EVENT}]\n",
        '{"events":[{"a":\n',
        '{"a":"\n{"event_type":"in a text"}\n',
        "{{}}\n",
        "]}\n",
        ",\n",
        "nonsense\n",
        "\n",
        "  \n",
        "\ufeff",
        '{"event_type":"\\ud800"}\n',
    ]
)
CELL = json.dumps([json.loads(EVENT)], ensure_ascii=False, separators=(",", ":")).replace('"', '""')
CSV_PIECES = st.sampled_from(
    [
        f'1,"{CELL}"\n',
        f'1,"{CELL}"\r\n',
        f'"1","{CELL}"\n',
        f'1," {CELL}"\n',
        '1,"[{""event_type"":""a\n1,b""}]"\n',
        '1,"[\n{""event_type"": ""b""}\n]"\n',
        '1,"[{""event_type"": ""never closed\n',
        '1,"[{"event_type":""odd""}]"\n',
        "1,[]\n",
        '1,"[]"\n',
        '1,"{}"\n',
        '1,"null"\n',
        "1,2,3\n",
        "time,events\n",
        "sep=,\n",
        '1,"[{\\"event_type\\":\\"a\\"}]"\n',
        '1,"[{""event_type"":""a \\"b\\"""}]"\n',
        '1,[{"event_type":"a","id":"1"}]\n',
        "\n",
        "\r\n",
        '"\n',
        '1,"[{}]""\n',
        '1,"[""]"\n',
        '1,\r"[{}]"\n',
        '1,""\n',
    ]
)
JSON_FILES = st.lists(JSON_PIECES, max_size=8).map(lambda pieces: f"{EVENT}\n{EVENT}\n" + "".join(pieces))
CSV_FILES = st.lists(CSV_PIECES, max_size=8).map(lambda pieces: f'time,events\n1,"{CELL}"\n' + "".join(pieces))
FILES = st.one_of(JSON_FILES, CSV_FILES).map(str.encode)


def collect() -> Callable[[Iterable[Record]], list[Record]]:
    """Return the records of each split or chunk as they are."""
    return list


@contextmanager
def split_at(size: int) -> Iterator[None]:
    """Split every file at about this size, and let this process do all the work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "MIN_SIZE", 1)
        patch.setattr(splits, "SPLIT_SIZES", (size, size))
        patch.setattr(
            parallel_map, "ordered_map", lambda make, arguments, items, *_, **__: ordered_map(make, arguments, items, 1)
        )
        yield


def mapped(paths: list[Path], options: ReadOptions, formats: list[SourceFormat] | None = None) -> Iterator[Record]:
    """Yield the records of files that are read in splits, at their places in the source."""
    on_format = None if formats is None else formats.append
    found = sources([str(path) for path in paths])
    for each in map_records(collect, (), found, options=options, jobs=2, on_format=on_format):
        for index, record in enumerate(each.result):
            if isinstance(record, Problem):
                yield each.placed(record)
            else:
                placed = msgspec.structs.replace(record, location=each.offset.moved(record.location))
                if options is DEFAULT:
                    assert is_within(placed, each.record(index, placed.location))
                yield placed


WRAPPED_ROW = (
    '{\n"columns": ["time", "events"],\n"data": [\n[1, "[{\\"event_type\\":\\"a\\",\\"id\\":\\"1\\"}]"]\n]\n}\n'
)


def is_within(batch: Batch, again: Record) -> bool:
    """Whether what was read once more is the batch, or the rest of a line that begins with it."""
    return isinstance(again, Batch) and again.location == batch.location and again.data.startswith(batch.data)


@given(
    st.tuples(FILES, st.binary(max_size=3)), st.integers(1, 200), st.sampled_from([DEFAULT, INGESTED]), st.booleans()
)
@example((f"{EVENT}\n{EVENT}\n{EVENT}\n".encode(), b""), 1, DEFAULT, False)
@example((f"{EVENT}\n{EVENT}\n[\n{EVENT}\n]\n{EVENT}\n{EVENT}".encode(), b""), 30, DEFAULT, False)
@example((f"{EVENT}\n{EVENT}\n{WRAPPED_ROW}".encode(), b""), 1, DEFAULT, False)
def test_reading_in_splits_is_reading_in_one_go(
    tmp_path_factory: pytest.TempPathFactory,
    texts: tuple[bytes, bytes],
    size: int,
    options: ReadOptions,
    has_others: bool,
) -> None:
    """The same batches and problems, in the same order, at the same places, whatever is in the files."""
    folder = tmp_path_factory.mktemp("splits")
    paths = [folder / "file", folder / "packed", folder / "other"] if has_others else [folder / "file"]
    for path in paths:
        path.write_bytes(gzip.compress(texts[0]) if path.name == "packed" else b"".join(texts))
    with split_at(size):
        found = list(mapped(paths, options))
    assert found == list(records(sources([str(path) for path in paths]), options))


@given(st.lists(FILES, min_size=1, max_size=3), st.integers(1, 200))
def test_formats_are_reported_in_the_order_of_the_sources(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], size: int
) -> None:
    """As reading in one go reports them, for large and small files."""
    folder = tmp_path_factory.mktemp("splits")
    paths = [folder / str(number) for number in range(2 * len(texts))]
    for number, path in enumerate(paths):
        path.write_bytes(gzip.compress(texts[number // 2]) if number % 2 else texts[number // 2])
    expected: list[SourceFormat] = []
    list(records(sources([str(path) for path in paths]), INGESTED, expected.append))
    found: list[SourceFormat] = []
    with split_at(size):
        list(mapped(paths, INGESTED, found))
    assert found == expected


@given(st.lists(st.sampled_from([f'{{"events":[{EVENT}]}}', EVENT]), min_size=40, max_size=60))
def test_lines_are_read_in_several_splits(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Where lines are documents, each split ends where the next one begins: nothing is read twice."""
    path = tmp_path_factory.mktemp("splits") / "file"
    path.write_text("\n".join(lines), encoding="utf-8")
    with split_at(200):
        results = list(map_records(collect, (), sources([str(path)]), jobs=2))
    assert len(results) > 3
    assert all(isinstance(each.chunk, FileSplit) and each.chunk.format is SplitFormat.JSON for each in results)
    assert sum(len(each.result) for each in results) == len(lines)
    assert [each.offset.lines for each in results] == sorted(each.offset.lines for each in results)


def test_a_record_that_is_no_longer_in_its_file_is_an_error(tmp_path: Path) -> None:
    """The file was changed after it was read."""
    path = tmp_path / "file"
    path.write_text(f"{EVENT}\n" * 3, encoding="utf-8")
    with split_at(10):
        first, *_ = map_records(collect, (), sources([str(path)]), jobs=2)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="changed while it was being read"):
        first.record(0, first.result[0].location)
