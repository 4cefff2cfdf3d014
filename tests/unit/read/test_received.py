"""Rows are selected by their receive time, in every format that has it."""

import json
from collections.abc import Callable
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from td_currents_cli.model import Batch, Code, Problem, Record, Severity
from td_currents_cli.read import records
from td_currents_cli.read.options import ReadOptions
from td_currents_cli.read.received import ReceiveTimes
from tests.memory import source_of

TIMES = [100, 200, 300, 400]
BATCHES = [json.dumps([{"event_type": "a", "id": str(time), "note": "x, y\tz"}]) for time in TIMES]
ROWS = list(zip(TIMES, BATCHES, strict=True))
SELECTED = ReceiveTimes(200, 400)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def csv(time_first: bool = True, end: str = "\n") -> bytes:
    rows = [["time", "note", "events"]]
    rows += [[str(time), quoted('a "b", c'), quoted(batch)] for time, batch in ROWS]
    return "".join(",".join(row if time_first else row[::-1]) + end for row in rows).encode()


def lines(row: Callable[[int, str], object], header: object = None) -> bytes:
    rows = [row(time, batch) for time, batch in ROWS]
    return b"".join(json.dumps(each).encode() + b"\n" for each in [header, *rows] if each)


def parquet(columns: dict[str, object]) -> bytes:
    output = BytesIO()
    pq.write_table(pa.table(columns), output)
    return output.getvalue()


def flat(separator: str) -> bytes:
    rows = [["time", "event_type", "id", "user_external_user_id"]]
    rows += [[str(time), "a", str(time), "u"] for time in TIMES]
    return "".join(separator.join(row) + "\n" for row in rows).encode()


FORMS = {
    "CSV": csv(),
    "CSV, time last": csv(time_first=False),
    "CSV of Windows": csv(end="\r\n"),
    "CSV with line ends": csv().replace(b"x, y", b"x,\ny"),
    "CSV, backslashes": csv().replace(b'"a ""b"", c"', b"n").replace(b"\\", b"\\\\").replace(b'""', b'\\"'),
    "TSV": b"time\tevents\n"
    + b"".join(b"%d\t%b\n" % each for each in zip(TIMES, map(str.encode, BATCHES), strict=True)),
    "objects": lines(lambda time, batch: {"time": time, "events": batch}),
    "objects, native": lines(lambda time, batch: {"time": time, "events": json.loads(batch)}),
    "objects, time as text": lines(lambda time, batch: {"events": batch, "time": str(time)}),
    "array of objects": json.dumps([{"time": t, "events": b} for t, b in ROWS]).encode(),
    "arrays": lines(lambda time, batch: [time, batch], ["time", "events"]),
    "terminal": "".join(
        ["+--+\n| time | events |\n+--+\n", *(f"| {time} | {batch} |\n" for time, batch in ROWS), "+--+\n"]
    ).encode(),
    "Parquet": parquet({"time": TIMES, "events": BATCHES}),
    "Parquet, timestamps": parquet({"time": pa.array(TIMES, pa.timestamp("s")), "events": BATCHES}),
    "flat CSV": flat(","),
    "flat TSV": flat("\t"),
    "flat objects": lines(lambda time, _: {"time": time, "event_type": "a", "id": str(time), "user_user_id": "u"}),
    "flat arrays": lines(lambda time, _: [time, "a", str(time), "u"], ["time", "event_type", "id", "user_user_id"]),
    "flat Parquet": parquet(
        {"time": TIMES, "event_type": ["a"] * 4, "id": list(map(str, TIMES)), "user_user_id": ["u"] * 4}
    ),
}


def read(data: bytes, received: ReceiveTimes | None = SELECTED) -> list[Record]:
    return list(records([source_of(data)], ReadOptions.of(received=received)))


@pytest.mark.parametrize("form", FORMS)
def test_rows_outside_are_skipped_and_counted(form: str) -> None:
    *batches, note = read(FORMS[form])
    everything = read(FORMS[form], None)
    assert [replace(each, received=None) for each in batches if isinstance(each, Batch)] == everything[1:3]
    assert [each.location.row for each in batches] == [2, 3]
    assert isinstance(note, Problem)
    assert (note.code, note.severity) == (Code.SKIPPED, Severity.INFO)
    assert note.message == "2 rows skipped: received outside the period asked for"


@pytest.mark.parametrize(
    "data",
    [
        b"".join(b'{"events":%b}\n' % each.encode() for each in BATCHES),
        b'{"event_type":"a","id":"1","time":300}\n' * 3,
        lines(lambda time, batch: [time, batch]),
        b"events\n" + b"".join(quoted(each).encode() + b"\n" for each in BATCHES),
        b"time,event_type,id\n300,a,1\n300,a,2\n",
        parquet({"time": TIMES, "event_type": ["a"] * 4, "id": list(map(str, TIMES))}),
    ],
    ids=["payloads", "events", "without names", "without the column", "event times", "event times in Parquet"],
)
def test_an_input_without_receive_times_is_not_read(data: bytes) -> None:
    """The `time` of other flat events is that of the event."""
    (problem,) = read(data)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.severity) == (Code.UNKNOWN_FORM, Severity.ERROR)
    assert "rows are selected by receive time" in problem.message


def test_a_row_without_a_time_is_rejected() -> None:
    rows = [{"time": time, "events": BATCHES[1]} for time in (300, None, "2026-07-01", 300_000_000_000_000, 500)]
    found = read(b"".join(json.dumps(each).encode() + b"\n" for each in rows))
    assert [each.code if isinstance(each, Problem) else None for each in found] == [
        None,
        Code.BAD_ROW,
        Code.BAD_ROW,
        Code.BAD_ROW,
        Code.SKIPPED,
    ]
    assert [each.raw is not None for each in found if isinstance(each, Problem)] == [True, True, True, False]
