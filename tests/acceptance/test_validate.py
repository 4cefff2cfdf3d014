"""`tdcur validate` from a shell: exit codes, what its options change, and how it stops."""

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.command import TDCUR, tdcur

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def event(number: int, /, **fields: object) -> dict[str, Any]:
    """An event that is as it should be, but for these fields."""
    user = {"user_id": "b-1", "external_user_id": "u-1"}
    usual = {"event_type": "users.behaviors.Uninstall", "id": f"e-{number}", "time": 1782900000, "user": user}
    return {**usual, "properties": {"app_id": "é"}, **fields}


def payload(*events: dict[str, Any]) -> str:
    return json.dumps({"events": events})


BAD = [
    event(2),
    event(3, time="1782900000"),
    event(4, user={"user_id": "b-4"}),
    event(5, properties={"app_id": 7}),
    event(6, properties={"app_id": "a", "app_grup_id": "g"}),
    event(2),
]
CODES = ["TDC113", "TDC301", "TDC203", "TDC204", "TDC117"]
"""The problems in BAD: error, warning, error, info, info."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good, a bad, a doubtful and a torn file."""
    (tmp_path / "good.json").write_text(payload(event(1)), encoding="utf-8")
    (tmp_path / "bad.json").write_text(json.dumps({"events": BAD}, ensure_ascii=False, indent=2), encoding="utf-8")
    (tmp_path / "doubtful.json").write_text(payload(event(7, user={"user_id": "b"})), encoding="utf-8")
    (tmp_path / "odd.json").write_text(payload(event(1, properties={"app_id": "a", "\ud800": 1})), encoding="utf-8")
    (tmp_path / "bad.json.gz").write_bytes(gzip.compress((tmp_path / "bad.json").read_bytes()))
    (tmp_path / "torn.json.gz").write_bytes((tmp_path / "bad.json.gz").read_bytes()[:-20])
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    own = {"event_types": {"users.behaviors.Uninstall": {"fields": {"app_grup_id": {"type": "int"}}}}}
    (tmp_path / "own.json").write_text(json.dumps(own), encoding="utf-8")
    return tmp_path


@pytest.fixture
def validate(folder: Path) -> Run:
    return lambda *arguments, stdin=b"": tdcur("validate", *arguments, "--format", "json", stdin=stdin, cwd=folder)


def codes(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return [problem["code"] for problem in json.loads(done.stdout)["problems"]]


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        ("good.json", 0, []),
        ("bad.json", 1, CODES),
        ("good.json bad.json", 1, CODES),
        ("doubtful.json", 0, ["TDC301"]),
        ("doubtful.json --strict", 1, ["TDC301"]),
        ("bad.json --select TDC3", 0, ["TDC301"]),
        ("bad.json --select TDC3 --strict", 1, ["TDC301"]),
        ("bad.json --select tdc3,TDC204 --select TDC117", 0, ["TDC301", "TDC204", "TDC117"]),
        ("bad.json --ignore TDC113,TDC203", 0, ["TDC301", "TDC204", "TDC117"]),
        ("bad.json --ignore TDC1", 1, ["TDC301", "TDC203", "TDC204"]),
        ("bad.json --select TDC2 --ignore TDC203", 0, ["TDC204"]),
        ("bad.json --select TDC203 --ignore TDC2", 1, ["TDC203"]),
        ("bad.json --limit 2", 1, ["TDC113", "TDC203"]),
        ("bad.json --max-findings 0", 1, []),
        ("bad.json --statistics", 1, CODES),
        ("bad.json --catalog own.json", 1, ["TDC113", "TDC301", "TDC203", "TDC203", "TDC117"]),
        ("torn.json.gz", 6, ["TDC001"]),
        ("torn.json.gz --ignore TDC0", 6, ["TDC001"]),
        ("torn.json.gz bad.json", 6, ["TDC001", *CODES]),
    ],
)
def test_exit_codes_and_problems(validate: Run, arguments: str, code: int, shown: list[str]) -> None:
    """What is reported decides on the exit code; everything that is reported is counted, shown or not."""
    done = validate(*arguments.split())
    assert (done.returncode, codes(done)) == (code, shown)
    summary = json.loads(done.stdout)["summary"]
    assert summary["shown"] == len(shown)
    if "--max-findings" in arguments or "--limit" in arguments:
        assert (summary["errors"], summary["warnings"], summary["infos"]) == (2, 1, 2)
        assert summary["by_code"] == dict.fromkeys(sorted(CODES), 1)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        *((f"good.json {wrong}", 2, "") for wrong in ("--jobs 0", "--max-findings -1", "--color red", "--nonsense")),
        ("missing.json", 6, "missing.json: no such file"),
        ("good.json --select TDC9", 2, "no rule starts with `TDC9`"),
        ("good.json --ignore E501", 2, "no rule starts with `E501`"),
        ("good.json --baseline missing.json", 6, "missing.json"),
        ("good.json --baseline list.json", 2, "list.json: not a baseline"),
        ("good.json --write-baseline missing/baseline.json", 6, "missing"),
        ("good.json --catalog missing.json", 2, "missing.json"),
        ("good.json --catalog list.json", 2, "list.json"),
    ],
)
def test_what_cannot_be_done_is_said(validate: Run, arguments: str, code: int, said: str) -> None:
    done = validate(*arguments.split())
    assert done.returncode == code
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    # Before the options are read, nothing is written.
    assert json.loads(done.stdout)["exit_code"] == code if said else done.stdout == b""


def test_a_file_its_gzip_and_standard_input_have_the_same_problems(validate: Run, folder: Path) -> None:
    plain, compressed = ((folder / name).read_bytes() for name in ("bad.json", "bad.json.gz"))
    outcomes = validate("bad.json"), validate("bad.json.gz"), validate("-", stdin=plain), validate(stdin=compressed)
    runs = [json.loads(done.stdout)["problems"] for done in outcomes]
    assert {each["source"] for each in runs[3]} == {"<stdin>"}
    for problems in runs:
        for problem in problems:
            del problem["source"]
            # The earlier place of an id names its source.
            del problem["message"]
    assert runs[0]
    assert runs == [runs[0]] * 4


def test_a_baseline_accepts_what_is_known_and_nothing_more(validate: Run, folder: Path) -> None:
    """From one run to the next, also when events move; one more problem of a kind fails."""
    written = validate("bad.json", "--write-baseline", "baseline.json")
    assert (written.returncode, codes(written)) == (0, [])
    entries = json.loads((folder / "baseline.json").read_bytes())["findings"]
    assert {entry["code"] for entry in entries} == set(CODES)
    assert validate("bad.json", "--baseline", "baseline.json").returncode == 0
    moved = [event(8), *BAD]
    (folder / "bad.json").write_text(payload(*moved), encoding="utf-8")
    done = validate("bad.json", "--baseline", "baseline.json", "--strict")
    assert (done.returncode, json.loads(done.stdout)["summary"]["suppressed"]) == (0, 5)
    (folder / "bad.json").write_text(payload(*moved, event(9, time="1782900001")), encoding="utf-8")
    done = validate("bad.json", "--baseline", "baseline.json")
    (one,) = json.loads(done.stdout)["problems"]
    assert (done.returncode, one["code"], one["event_id"]) == (1, "TDC113", "e-9")


def test_names_that_utf8_cannot_hold_have_a_place_in_a_baseline(validate: Run) -> None:
    """JSON can name a field by half a character."""
    assert validate("odd.json", "--write-baseline", "baseline.json").returncode == 0
    done = validate("odd.json", "--baseline", "baseline.json")
    assert (done.returncode, codes(done)) == (0, [])


LINES = (payload(*map(event, range(100))).encode() + b"\n") * 100  # a good megabyte


@pytest.fixture
def endless() -> Iterator["subprocess.Popen[bytes]"]:
    """A run in two further processes, in a session of its own, whose input never ends."""
    options = ("--jobs", "2", "--ignore", "TDC117", "--color", "never")
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*TDCUR, "validate", *options], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        assert process.stdin
        while len(processes_of(process)) < 3:
            process.stdin.write(LINES)
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def processes_of(leader: "subprocess.Popen[bytes]") -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, check=True, text=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(process) for process, group, state in rows if int(group) == leader.pid and not state.startswith("Z")]


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_run_that_is_stopped_leaves_nothing_behind(
    endless: "subprocess.Popen[bytes]", send: Callable[[int, int], None], signal_number: int, code: int
) -> None:
    """Neither a process nor a traceback. Ctrl-C reaches all processes, `kill` just the one."""
    send(endless.pid, signal_number)
    _, stderr = endless.communicate(timeout=30)
    word = "interrupted" if signal_number == signal.SIGINT else "terminated"
    assert (endless.returncode, stderr.decode()) == (code, f"error: {word}: no result was printed\n")
    assert processes_of(endless) == []


def test_a_run_that_is_killed_leaves_nothing_behind(endless: "subprocess.Popen[bytes]") -> None:
    """Nobody can tell its processes that it is gone: they notice."""
    endless.kill()
    endless.communicate(timeout=30)
    until = time.monotonic() + 20
    while processes_of(endless) and time.monotonic() < until:
        time.sleep(0.05)
    assert processes_of(endless) == []


def test_a_process_that_is_killed_stops_the_run(endless: "subprocess.Popen[bytes]") -> None:
    worker = max(processes_of(endless))
    os.kill(worker, signal.SIGKILL)
    assert endless.stdin
    with suppress(BrokenPipeError):
        # More work than the other process would be given.
        endless.stdin.write(LINES * 50)
    stdout, stderr = endless.communicate(timeout=30)
    assert (endless.returncode, stdout) == (70, b"")
    assert b"died" in stderr
    assert b"--jobs 1" in stderr
    assert b"Traceback" not in stderr
