"""Standard streams that are closed or full, signals at any time, and CI logs: exit codes and no tracebacks."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from td_currents_cli.cli.groups import COMMANDS
from tests.command import PLAIN, TDCUR, tdcur_text

ROOT = Path(__file__).parents[2]

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


SEND = "send good.json --url http://127.0.0.1:1/postback/v3/event/demo/currents --no-journal"
URL = "https://in.treasuredata.com/postback/v3/event/demo/currents"
RUNS = {
    "validate": ("validate x.json", "validate nowhere --format json"),
    "send": (f"{SEND} --dry-run", f"{SEND} --retry-for 0s --write-key-file key"),
    "parse": ("parse x.json",),
    "count": ("count x.json", "count --by nothing x.json"),
    "reconcile": ("reconcile --sent x.json --ingested bad.json",),
    "verify": ("verify --sent x.json --ingested td://demo/currents",),
    "show": ("show x.json",),
    "demo": ("demo",),
    "serve": ("serve --port 99999",),
    "generate": ("generate -n 5 --seed 1",),
    "events": ("events",),
    "rules": ("rules nothing",),
    "sql": ("sql count td://demo/currents",),
    "help": ("help", "count --help", "nothing", ""),
    "config": ("config",),
    "doctor": ("doctor",),
    "report": ("report good.json -o page.html --format json",),
    "watch": ("watch td://demo/currents --once",),
    "workflow": ("workflow init project --database demo --raw raw --flat flat --force",),
    "url": (f"url --url {URL} --write-key-file key",),
    "journal": ("journal show nothing",),
}


def test_the_table_of_runs_has_all_commands() -> None:
    assert RUNS.keys() == set(COMMANDS)


@pytest.mark.parametrize("line", [line for lines in RUNS.values() for line in lines])
def test_messages_that_cannot_be_written_change_nothing(folder: Path, line: str) -> None:
    """Neither the exit code nor the output, in which times differ."""
    (folder / "bad.json").write_text("{")
    (folder / "key").write_text("any")
    (folder / "good.json").write_bytes((ROOT / "sample_data/payloads/purchases.json").read_bytes())
    environment = PLAIN | {"XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder)}

    def run(stderr: str) -> tuple[int, bytes]:
        command = f"{sys.executable} -m td_currents_cli {line} {stderr}"
        ended = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, check=False
        )
        return ended.returncode, re.sub(rb"[\d.,\s]+", b" ", ended.stdout)

    expected = run("2>/dev/null")
    assert expected[0] not in (70, 120)
    assert [run(stderr) for stderr in ("2>/dev/full", "2>&-")] == [expected] * 2


@pytest.mark.parametrize("stderr", ["2>/dev/full", "2>&-", "2> >(true)"])
def test_serve_without_a_log(folder: Path, stderr: str) -> None:
    command = f"exec {sys.executable} -m td_currents_cli serve --port 0 --format json {stderr}"
    with subprocess.Popen(["bash", "-c", command], cwd=folder, stdout=subprocess.PIPE) as process:
        while not (folder / "rows.jsonl").exists():
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)  # until it listens
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert json.loads(out)["exit_code"] == 143


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
        (
            "count --jobs x",
            "error: --jobs must be an integer, got `x`\nhint: Run `tdcur count --help`",
        ),
        ("count --jobs 0", "error: --jobs must be 1 or more\nhint: "),
        ("serve --port 70000", "error: --port must be between 0 and 65535\nhint: "),
        ("send --timeout x", "error: --timeout must be a number, got `x`\nhint: "),
        ("count --nonsense", "error: unknown option --nonsense\nhint: Run `tdcur count --help` for its options.\n"),
        ("count --limt 3", "error: unknown option --limt\nhint: Did you mean --limit?\n"),
        ("validate --max-finding 3", "error: unknown option --max-finding\nhint: Did you mean --limit?\n"),
        ("count --group-by x", "error: unknown option --group-by\nhint: Did you mean --by?\n"),
        ("parse --output-format csv", "error: unknown option --output-format\nhint: Did you mean --to?\n"),
        ("count --json", "error: unknown option --json\nhint: Did you mean --format json?\n"),
        ("validate --no-color", "error: unknown option --no-color\nhint: Did you mean --color never?\n"),
        (
            "--quiet validate x",
            "error: unknown option --quiet\nhint: Options of a command follow it: `tdcur validate --quiet`.\n",
        ),
        (
            "--format json count x",
            "error: unknown option --format\nhint: Options of a command follow it: `tdcur count --format`.\n",
        ),
        ("--quiet", "error: unknown option --quiet\nhint: Run `tdcur --help` for its options.\n"),
        ("--completion", "error: unknown option --completion\nhint: Did you mean --show-completion?\n"),
        ("generate 100", "error: unexpected argument: 100\nhint: Give the number of events with --events NUMBER.\n"),
        ("config test", "error: unexpected argument: test\nhint: Select a profile with --profile NAME.\n"),
        ("--versio", "error: unknown option --versio\nhint: Did you mean --version?\n"),
        (
            "count --color yes",
            "error: --color must be one of auto, always, never, got `yes`\nhint: Run `tdcur ",
        ),
        ("count --format jsn", "error: --format must be one of table, markdown, html, json, "),
        (
            "sql cuont td://a/b",
            "error: QUERY must be one of count, parse, dedupe, create-table, forget, got `cuont`\nhint: Did you mean c",
        ),
        ("parse -o", "error: -o requires a value\nhint: Run `tdcur parse --help` for its options.\n"),
        ("count --dedupe=1", "error: --dedupe takes no value\nhint: Run `tdcur count --help`"),
        ("events a b", "error: unexpected argument: b\nhint: "),
        ("generate --start x", "error: --start: 'x' is not a time such as 2026-07-01T00:00:00Z\nhint: "),
        ("verify", ""),
        ("", "Validate, send, "),
        ("nonsense", "error: unknown command: nonsense\nhint: Run `tdcur help` for all of them.\n"),
        ("version", "error: unknown command: version\nhint: Did you mean `tdcur --version`?\n"),
        ("check", "error: unknown command: check\nhint: Did you mean `tdcur validate`?\n"),
        ("completions", "error: unknown command: completions\nhint: Did you mean `tdcur --show-completion`?\n"),
        ("help lint", "error: unknown command or topic: lint\nhint: Did you mean `tdcur help validate`?\n"),
        ("cuont x", "error: unknown command: cuont\nhint: Did you mean `tdcur count`?\n"),
        ("exit-code", "error: unknown command: exit-code\nhint: Did you mean `tdcur help exit-codes`?\n"),
        ("help cuont", "error: unknown command or topic: cuont\nhint: Did you mean `tdcur help count`?\n"),
        ("verify --sent x", "error: --ingested is required\nhint: Run `tdcur verify --help` for its options.\n"),
    ],
)
def test_usage_errors_look_like_all_others(line: str, message: str) -> None:
    ended = tdcur_text(*line.split(), env={**PLAIN, "NO_COLOR": "1"})
    assert ended.returncode == 2
    assert ended.stderr.startswith(message)
    assert not ended.stderr.startswith("error: \n")
