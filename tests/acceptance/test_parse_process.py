"""`tdcur parse` as a process: interrupted, and with a reader that goes away."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from td_currents_cli.generate import GenerateRequest
from td_currents_cli.generate.command import lines

SAMPLE = str(Path(__file__).parents[2] / "sample_data" / "rows" / "rows.jsonl")
TO_A_FILE = ["-o", "out.jsonl"]
TO_FILES = ["--split-by", "event_type", "--out-dir", "out"]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("options", [TO_A_FILE, TO_FILES])
def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, options: list[str], number: signal.Signals, code: int
) -> None:
    """No output under its name and none under another, and the exit code that shells know."""
    text = b"".join(lines(GenerateRequest(events=4_000, per_batch=100)))
    command = ["tdcur", "parse", *options, "--jobs", "1"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(text)
        process.stdin.flush()
        # It waits for more input, in the middle of a run.
        until(lambda: any(each.is_file() and each.name.startswith((".tdcur", "u")) for each in tmp_path.rglob("*")))
        process.send_signal(number)
        assert process.wait(10) == code
        assert b"Traceback" not in process.stderr.read()
    assert list(tmp_path.iterdir()) == []


ROWS = "".join(f'{{"event_type":"type {number}","id":"{number}"}}\n' for number in range(150))


@pytest.mark.parametrize(("files", "code"), [(40, 0), (14, 6)])
def test_files_per_type_need_few_open_files(tmp_path: Path, files: int, code: int) -> None:
    """As many as are allowed, or an error that leaves nothing behind."""
    command = ["tdcur", "parse", "--jobs", "1", *TO_FILES]
    result = subprocess.run(
        ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command], cwd=tmp_path, input=ROWS.encode(), check=False
    )
    assert result.returncode == code
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert len(left) == (150 if code == 0 else 0)
    assert not any(path.name.startswith(".tdcur") for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(("options", "code"), [([], 6), (["--to", "csv"], 6), (["-o", "out"], 0)])
def test_a_closed_standard_output_is_an_error(tmp_path: Path, options: list[str], code: int) -> None:
    command = ["sh", "-c", 'exec "$@" >&-', "sh", "tdcur", "parse", *options]
    result = subprocess.run(command, cwd=tmp_path, input=ROWS.encode(), stderr=subprocess.PIPE, check=False)
    assert result.returncode == code
    assert (b"error: cannot write the output" in result.stderr) == bool(code)
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("line", ["events --format json-schema", "generate --quiet -n 100000"])
def test_a_reader_that_goes_away_ends_the_run(line: str, unbuffered: str) -> None:
    """Quietly, also where standard output has no buffer and takes a part without an error."""
    command = ["tdcur", *line.split()]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr
        assert process.stderr.read() == b""


@pytest.mark.parametrize("name", ["e.csv", "e.tsv", "e.parquet", "e.jsonl", "e.csv.gz", "e.tsv.zst", "e.jsonl.gz"])
def test_the_suffix_of_the_output_decides_its_format(name: str, tmp_path: Path) -> None:
    """--to takes precedence. What was compressed is read again, and is the same bytes each time."""
    command = ["tdcur", "parse", SAMPLE, "-q"]
    plain = subprocess.run([*command, "--to", "jsonl"], check=True, capture_output=True).stdout
    for place in (tmp_path / "one", tmp_path / "two"):
        place.mkdir()
        subprocess.run([*command, "-o", str(place / name)], check=True)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    begin = (tmp_path / "one" / name).read_bytes()[:4]
    starts = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd", ".parquet": b"PAR1", ".jsonl": b'{"'}
    assert begin.startswith(starts.get(Path(name).suffix, b"even"))
    read = ["tdcur", "parse", str(tmp_path / "one" / name), "-q"]
    again = subprocess.run(read, check=True, capture_output=True).stdout
    ids = [[json.loads(line)["id"] for line in events.splitlines()] for events in (again, plain)]
    assert ids[0] == ids[1] != []
    subprocess.run([*command, "-o", str(tmp_path / "x.csv"), "--to", "jsonl"], check=True)
    assert (tmp_path / "x.csv").read_bytes() == plain
