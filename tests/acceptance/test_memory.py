"""Memory does not grow with the input, in whichever arrangement it comes."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

MB = 1_000_000
LIMIT = 200 * MB
FULL = os.environ.get("TDCUR_FULL") == "1"

MEASURE = """
import os, sys
process = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024, file=sys.stderr)
"""
"""A small process of its own: a child's peak includes that of the process it was forked from."""


@pytest.fixture(scope="module")
def line() -> bytes:
    """One payload as Braze sends it: 100 events, about 97 kB."""
    command = [sys.executable, "-m", "td_currents_cli", "generate", "-n", "110", "--seed", "7"]
    payload = subprocess.run(command, capture_output=True, check=True).stdout.split(b"\n")[0]
    assert 80_000 < len(payload) < 110_000
    return payload


def write(path: Path, size: int, begin: bytes, unit: bytes, end: bytes = b"") -> None:
    """Write a unit over and over, up to about that size."""
    with path.open("wb") as file:
        file.write(begin)
        for _ in range(size // len(unit)):
            file.write(unit)
        file.write(end)


def row_of(payload: bytes) -> bytes:
    return b'1790000000,"' + payload.replace(b'"', b'""') + b'"\n'


@pytest.fixture(params=["lines", "one line", "array", "rows"])
def large(request: pytest.FixtureRequest, line: bytes, tmp_path: Path) -> Iterator[Path]:
    """A large file of that payload over and over; of 150 MB in the short form, 1 GB in the full one."""
    kind, path = request.param, tmp_path / "large"
    size = 1000 * MB if FULL else 150 * MB if kind == "lines" else 60 * MB
    begin, unit, end = {
        "lines": (b"", line + b"\n", b""),
        "one line": (b"", line, b""),
        "array": (b"[" + line, b"," + line, b"]"),
        "rows": (b"time,events\n", row_of(line), b""),
    }[kind]
    write(path, size, begin, unit, end)
    yield path
    path.unlink()


@pytest.mark.large
@pytest.mark.parametrize(
    "command",
    [
        "count --format csv",
        "parse -o /dev/null",
        # Ids that repeat are left out, since each of these would be a problem to print.
        "validate --jobs 1 --ignore TDC117 --format jsonl",
    ],
)
def test_a_large_file_is_read_within_200_mb(command: str, large: Path) -> None:
    """Peak memory of the whole process, for lines, one endless line, an array and CSV alike."""
    code, peak, _ = peak_of(*command.split(), large)
    assert code == 0
    assert peak < LIMIT, f"{peak / MB:.0f} MB"
    print(command, f"{peak / MB:.0f} MB")


def peak_of(*arguments: object) -> tuple[int, int, bytes]:
    """Exit code, peak memory and standard output of a command."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "td_currents_cli", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, check=True, timeout=600)
    code, peak = result.stderr.split()[-2:]
    return int(code), int(peak), result.stdout


@pytest.mark.parametrize("form", ["csv", "table"])
def test_200_000_groups_are_counted_within_150_mb(form: str, tmp_path: Path) -> None:
    path, groups = tmp_path / "events.jsonl", 200_000
    with path.open("w", encoding="utf-8") as file:
        for number in range(groups):
            file.write(f'{{"event_type":"a","id":"{number:036}","time":{1_790_000_000 + number // 7}}}\n')
    code, peak, printed = peak_of("count", "--by", "id", "--format", form, "--jobs", "2", path)
    assert code == 0
    assert printed.count(b"00000") >= groups
    assert peak < 150 * MB, f"{peak / MB:.0f} MB"


BOMBS = {
    "string": (b'{"events":[{"event_type":"', b"x" * MB, b'"}]}'),
    "cell": (b'time,events\n1,"[{""event_type"":""', b"x" * MB, b'""}]"\n'),
    "tsv": (b"time\tevents\n1\t[", b" " * MB, b"]\n"),
    "array": (b'{"events":[1', b",1" * (MB // 2), b"]}"),
    "objects": (b'{"events":[1', b',{"a":"b"}' * (MB // 10), b"]}"),
    "scalars": (b"[1", b",1" * (MB // 2), b"]"),
    "msgpack": (b"\x91\xdb\xff\xff\xff\xff[", b" " * MB, b""),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_document_without_end_does_not_fill_the_memory(kind: str, tmp_path: Path) -> None:
    """The limit holds for what is decompressed; the next source is read."""
    begin, unit, end = BOMBS[kind]
    size, limit = (3000, []) if FULL else (150, ["--max-document-size", "48MB"])
    with gzip.open(tmp_path / "bomb.gz", "wb", 1) as file:
        file.write(begin)
        for _ in range(size):
            file.write(unit)
        file.write(end)
    (tmp_path / "next.json").write_text('{"event_type":"a","id":"1"}')
    code, peak, output = peak_of("count", "--format", "json", *limit, tmp_path / "bomb.gz", tmp_path / "next.json")
    counted = json.loads(output)
    assert code == 6
    assert [problem["code"] for problem in counted["problems"]] == ["TDC018"]
    assert counted["summary"]["total"] == 1
    # The limit, what the interpreter takes, and what draws the progress after a second; the library that reads msgpack
    # keeps a copy.
    most = (325 if FULL else 110) * (2 if kind == "msgpack" else 1)
    assert peak < most * MB, f"{peak / MB:.0f} MB"


@pytest.mark.large
@pytest.mark.parametrize("row", [b"[1790000000,STRING]", b'{"time":1,"events":STRING}', b"PAYLOAD"])
def test_an_array_of_300_mb_has_no_limit(row: bytes, line: bytes, tmp_path: Path) -> None:
    """`td query -f json` is one array on one line; so are rows and payloads of many tools."""
    row = row.replace(b"PAYLOAD", line).replace(b"STRING", json.dumps(line.decode()).encode())
    write(tmp_path / "array.json", 300 * MB, b"[" + row, b"," + row, b"]")
    code, peak, output = peak_of("count", "--format", "json", "--max-document-size", "1MB", tmp_path / "array.json")
    assert code == 0
    assert json.loads(output)["summary"]["total"] == (300 * MB // len(b"," + row) + 1) * 100
    assert peak < LIMIT, f"{peak / MB:.0f} MB"


PSS = """
import os, subprocess, sys, time
from pathlib import Path
process = subprocess.Popen(sys.argv[1:])
peak = 0
while process.poll() is None:
    now = 0
    for task in [str(process.pid), *Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]:
        try:
            text = Path(f"/proc/{task}/smaps_rollup").read_text()
        except OSError:
            continue
        now += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024
    peak = max(peak, now)
    time.sleep(0.05)
print(process.returncode, peak, file=sys.stderr)
"""
"""What a command and the processes it starts take together: pages they share count once."""


@pytest.mark.large
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what is shared")
@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_a_large_table_is_made_within_200_mb(line: bytes, tmp_path: Path, to: str) -> None:
    """Peak memory of all processes of `parse --jobs 2`, from CSV rows to tables."""
    path = tmp_path / "rows.csv"
    write(path, 1000 * MB if FULL else 35 * MB, b"time,events\n", row_of(line))
    arguments = ["parse", "--jobs", "2", "--to", to, "-o", str(tmp_path / "out"), str(path)]
    peak = peak_of_all(*arguments)
    path.unlink()
    assert peak < LIMIT, f"{peak / MB:.0f} MB"


def peak_of_all(*arguments: str) -> int:
    """Peak memory of a command and the processes it starts."""
    command = [sys.executable, "-c", PSS, sys.executable, "-m", "td_currents_cli", *arguments]
    result = subprocess.run(command, capture_output=True, check=True, timeout=900)
    code, peak = result.stderr.split()[-2:]
    assert int(code) == 0, result.stderr.decode()
    return int(peak)


TWENTY_TYPES = "*.email.*,*.contentcard.*,users.behaviors.app.*,users.behaviors.Purchase"


@pytest.mark.large
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what is shared")
def test_an_export_is_counted_parsed_and_reconciled_within_300_mb(tmp_path: Path) -> None:
    """In full a million events of 20 types in 84 hours: 250 MB of Avro, which are 900 MB of payloads."""
    events, limit = (1_000_000, 300 * MB) if FULL else (5000, 110 * MB)
    generate = [sys.executable, "-m", "td_currents_cli", "generate", "--events", str(events), "--type", TWENTY_TYPES]
    for form in (["--shape", "avro-export", "-o", "export"], ["-o", "payloads.jsonl"]):
        subprocess.run([*generate, *form], cwd=tmp_path, capture_output=True, check=True)
    export, payloads = str(tmp_path / "export"), str(tmp_path / "payloads.jsonl")
    for command in (
        ["count", export],
        ["parse", export, "-o", str(tmp_path / "events.jsonl.gz")],
        ["reconcile", "--sent", export, "--ingested", payloads, "--expect-anonymous"],
    ):
        peak = peak_of_all(*command, "--jobs", "2")
        assert peak < limit, f"{command[0]}: {peak / MB:.0f} MB"
        print(command[0], f"{peak / MB:.0f} MB")
    rmtree(tmp_path)
