"""Standard streams that are closed or full, signals at any time, and CI logs: exit codes and no tracebacks."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import PLAIN, TDCUR, tdcur_text

LINES = (
    "--help",
    "--version",
    "count --help",
    "rules",
    "events --format json",
    "sql count td://braze/raw",
    "validate --schema",
    "validate x.json",
    "count x.json",
    "count x.json --format json",
    "parse x.json",
    "generate -n 1",
    "reconcile --sent x.json --ingested x.json",
    "count nowhere --format json",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x.json").write_text('{"events":[{"event_type":"a","id":"1"}]}')
    return tmp_path


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("stdout", [">&-", ">/dev/full"])
def test_an_output_that_cannot_be_written(folder: Path, line: str, stdout: str) -> None:
    command = f"{sys.executable} -m td_currents_cli {line} {stdout}"
    ended = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 6
    assert "error: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ("No space left on device" in ended.stderr) == ("full" in stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("line", ["count -", "validate -", "reconcile --sent - --ingested x.json"])
def test_json_after_a_signal(folder: Path, line: str, number: signal.Signals) -> None:
    """One document, with the exit code of the process."""
    command = [*TDCUR, *line.split(), "--format", "json"]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        while True:  # until it reads
            if Path(f"/proc/{process.pid}/wchan").read_text().startswith(("pipe", "anon_pipe")):
                break
            if Path(f"/proc/{process.pid}/syscall").read_text().startswith("0 0x0 "):
                break
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert json.loads(out)["exit_code"] == 128 + number
    assert err == b""


@pytest.mark.parametrize("line", ["--help", "count --help", "count --nonsense"])
def test_no_colors_in_a_ci_log(line: str) -> None:
    ended = tdcur_text(*line.split(), env={**PLAIN, "GITHUB_ACTIONS": "true"})
    assert "\x1b" not in ended.stdout + ended.stderr


def test_ctrl_c_before_anything_has_begun() -> None:
    """No traceback, from the moment at which our own code is entered."""
    program = (
        "import os, signal, sys, threading, time\n"
        "from td_currents_cli.cli import main\n"
        "sys.meta_path.insert(0, type('Slow', (), {'find_spec': lambda *_: os.kill(os.getpid(), signal.SIGINT)})())\n"
        "sys.argv = ['tdcur', '--version']\nmain()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("count --jobs x", "error: invalid value for '--jobs': 'x' is not an integer\nhint: "),
        ("count --nonsense", "error: no such option: --nonsense"),
        ("count --format xml", "error: invalid value for '--format'"),
        ("parse -o", "error: option '-o' requires an argument"),
        ("verify", ""),
        ("nonsense", "error: no such command 'nonsense'"),
        ("verify --sent x", "error: missing option '--ingested'\nhint: Run `tdcur verify --help` for its options.\n"),
    ],
)
def test_usage_errors_look_like_all_others(line: str, message: str) -> None:
    ended = tdcur_text(*line.split(), env={**PLAIN, "NO_COLOR": "1"})
    assert ended.returncode == 2
    assert ended.stderr.startswith(message)
    assert not ended.stderr.startswith("error: \n")
