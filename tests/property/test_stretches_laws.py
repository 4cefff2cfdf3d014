"""Laws of reading a file in stretches: it gives what reading it in one go gives."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from td_currents_cli.model import Problem, Record, Records
from td_currents_cli.read import records, sources
from td_currents_cli.read.options import DEFAULT, INGESTED, ReadOptions
from td_currents_cli.read.spread import spread
from td_currents_cli.read.stretches import Form, Stretches

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


def everything() -> Callable[[Records, str], list[Record]]:
    """What is to be made of each part: the list of its records."""
    return lambda some, _source: list(some)


def in_stretches(path: Path, sizes: tuple[int, ...], options: ReadOptions) -> Iterator[Record]:
    """The records of a file that is read in stretches of about these sizes."""
    for part in spread(everything, (), Stretches(sources([str(path)]), options, large=1, sizes=sizes), jobs=1):
        for record in part.result:
            if isinstance(record, Problem):
                yield part.placed(record)
            else:
                place = part.placed(Problem(code="", location=record.location, message="")).location  # type: ignore[arg-type]  # for its place alone
                yield msgspec.structs.replace(record, location=place)


@given(FILES, st.integers(1, 200), st.binary(max_size=3), st.sampled_from([DEFAULT, INGESTED]))
@example(f"{EVENT}\n{EVENT}\n{EVENT}\n".encode(), 1, b"", DEFAULT)
@example(f"{EVENT}\n{EVENT}\n[\n{EVENT}\n]\n{EVENT}\n{EVENT}".encode(), 30, b"", DEFAULT)
def test_reading_in_stretches_is_reading_in_one_go(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, size: int, odd: bytes, options: ReadOptions
) -> None:
    """The same batches and problems, in the same order, at the same places, whatever is in the file."""
    path = tmp_path_factory.mktemp("stretches") / "file"
    path.write_bytes(text + odd)
    assert list(in_stretches(path, (size,), options)) == list(records(sources([str(path)]), options))


@given(st.lists(st.sampled_from([f'{{"events":[{EVENT}]}}', EVENT]), min_size=40, max_size=60))
def test_lines_are_read_in_several_stretches(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Where lines are documents, each stretch ends where the next one begins: nothing is read twice."""
    path = tmp_path_factory.mktemp("stretches") / "file"
    path.write_text("\n".join(lines), encoding="utf-8")
    stretches = Stretches(sources([str(path)]), large=1, sizes=(200,))
    parts = list(spread(everything, (), stretches, jobs=1))
    assert len(parts) > 3
    assert all(stretch.form is Form.JSON for stretch in stretches)
    assert sum(len(part.result) for part in parts) == len(lines)
    assert [part.before.lines for part in parts] == sorted(part.before.lines for part in parts)
