"""The command that a successful run suggests, which can be copied."""

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.cli.next_command import next_command
from td_currents_cli.outcome import Outcome
from td_currents_cli.send import SendOutcome
from td_currents_cli.send.braze_url import BrazeUrlOutcome
from tests.command import PLAIN, TDCUR

TD = "https://us01.records.in.treasuredata.com/postback/v3/event/braze/currents"


@pytest.mark.parametrize(
    ("command", "options", "expected"),
    [
        ("count", {"paths": ["a b.jsonl"]}, "tdcur count 'a b.jsonl' --by channel,day --pivot day"),
        ("count", {"paths": ["a.jsonl"], "by": ["day"]}, ""),
        ("count", {"paths": ["a.jsonl"], "types": ["*.email.*"]}, ""),
        ("count", {"paths": ["td://braze/currents"]}, ""),
        ("count", {"paths": ["-"]}, ""),
        ("count", {"paths": ["a", "b", "c", "d"]}, ""),
        ("parse", {"output": Path("events.csv"), "to": "csv"}, "tdcur count events.csv"),
        ("parse", {"output": Path("events.parquet"), "to": "parquet"}, ""),
        ("parse", {"output": None, "to": "jsonl"}, ""),
        ("parse", {"out_dir": Path("out"), "to": "jsonl"}, "tdcur count out"),
        ("parse", {"into": "td://braze/flat", "to": "jsonl"}, "tdcur count td://braze/flat"),
        ("generate", {"output": Path("big.jsonl")}, "tdcur validate big.jsonl"),
        ("generate", {"output": None}, ""),
        ("validate", {"paths": ["a.jsonl"]}, ""),
    ],
)
def test_next(command: str, options: dict[str, Any], expected: str) -> None:
    assert next_command(command, options, Outcome()) == expected


def test_after_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Treasure Data's table is queried; what a local endpoint stored is compared, if it is where it usually is."""
    monkeypatch.chdir(tmp_path)
    options, local = {"paths": ["p.jsonl"]}, "http://127.0.0.1:8888/postback/v3/event/demo/currents"
    sent = [SendOutcome(endpoint=endpoint, delivered=5) for endpoint in (TD, local, "https://example.com/x")]
    assert [next_command("send", options, each) for each in sent] == [
        "tdcur verify --sent p.jsonl --ingested td://braze/currents",
        "",
        "",
    ]
    Path("rows.jsonl").touch()
    assert next_command("send", options, sent[1]) == "tdcur reconcile --sent p.jsonl --ingested rows.jsonl"
    os.utime("rows.jsonl", (1_700_000_000, 1_700_000_000))
    assert next_command("send", options, sent[1]) == "", "rows of another run"
    assert next_command("send", options, SendOutcome(endpoint=TD)) == ""
    assert next_command("send", {"paths": None}, sent[0]) == ""


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a command prints where both streams are a terminal."""
    ours, theirs = pty.openpty()
    environment = {**PLAIN, "TERM": "xterm"}
    subprocess.run(
        [*TDCUR, *arguments], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, check=True
    )
    os.close(theirs)
    text = b""
    # Linux reports the end of a terminal as an error.
    try:
        while data := os.read(ours, 1 << 16):
            text += data
    except OSError:
        pass
    finally:
        os.close(ours)
    return text.decode()


def test_it_is_one_dim_line_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    line = ("generate", "--events", "3", "-o", "g.jsonl")
    # Some versions of rich style the line end, too.
    printed = on_a_terminal(tmp_path, *line).replace("\x1b[2m\r\n\x1b[0m", "\r\n")
    assert printed.endswith("\x1b[2mnext: tdcur validate g.jsonl\x1b[0m\r\n")
    assert "next" not in on_a_terminal(tmp_path, *line, "--quiet")
    piped = subprocess.run([*TDCUR, *line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "next" not in piped.stdout + piped.stderr


def test_a_url_for_braze_is_followed_by_a_look_at_its_table() -> None:
    outcome = BrazeUrlOutcome(
        url="https://in.treasuredata.com/postback/v3/event/braze/raw?td_write_key=***", has_key=False
    )
    assert next_command("url", {}, outcome) == "tdcur watch td://braze/raw --once"
