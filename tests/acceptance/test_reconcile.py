"""`tdcur reconcile` as a user runs it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.command import TDCUR, tdcur

if TYPE_CHECKING:
    from tests.conftest import Endpoint

ROOT: Final = Path(__file__).parents[2]
PAYLOADS: Final = ROOT / "sample_data" / "payloads"
ROWS: Final = ROOT / "sample_data" / "rows"
PURCHASES: Final = str(PAYLOADS / "purchases.json")
BOTH: Final = ("--sent", PURCHASES, "--ingested", PURCHASES)


def reconcile(*arguments: str, code: int, stdin: bytes = b"") -> dict[str, Any]:
    ended = tdcur("reconcile", *arguments, "--format", "json", stdin=stdin)
    assert ended.returncode == code, ended.stderr.decode()
    document: dict[str, Any] = json.loads(ended.stdout)
    assert document["exit_code"] == code
    return document


def test_resending_missing_events(endpoint: "Endpoint", tmp_path: Path) -> None:
    """Through an endpoint that returned 200 for everything and lost a row: its events are missing, then sent again."""
    write_key, ingested = tmp_path / "write_key", tmp_path / "ingested.jsonl"
    missing, ids = tmp_path / "missing.jsonl", tmp_path / "ids"
    write_key.write_text(endpoint.key)
    # The journal knows the events one by one then, also those that are lost.
    journal = str(tmp_path / "journal")
    to_send = ("--url", endpoint.url, "--write-key-file", write_key, "--no-check", "--repack", "--journal", journal)
    assert tdcur("send", str(PAYLOADS), *to_send).returncode == 0
    lost, *there = endpoint.store.read_bytes().splitlines(keepends=True)
    ingested.write_bytes(b"".join(there))
    compared = ("--sent", str(PAYLOADS), "--ingested", str(ingested), "--missing-file", str(missing))
    events = json.loads(json.loads(lost)["events"])
    first = reconcile(*compared, "--ids", str(ids), code=1)["summary"]
    assert (first["sent"], first["matched"], first["missing"]) == (130, 130 - len(events), len(events))
    assert ids.read_text().split() == [event["id"] for event in events]
    noted = reconcile("--from-journal", journal, "--ingested", str(ingested), "--endpoint", endpoint.url, code=1)[
        "summary"
    ]
    assert (noted["sent"], noted["missing"], noted["content_compared"]) == (130, len(events), False)
    assert tdcur("send", "--resend", str(missing), *to_send).returncode == 0
    ingested.write_bytes(b"".join(endpoint.store.read_bytes().splitlines(keepends=True)[1:]))
    second = reconcile(*compared, code=0)["summary"]
    assert (second["sent"], second["matched"], second["ingested"]) == (130, 130, 130)
    assert missing.read_bytes() == b""


def test_paths(tmp_path: Path) -> None:
    files = sorted(map(str, PAYLOADS.iterdir()))
    rows = (ROWS / "rows.csv").read_bytes()
    document = reconcile("--sent", *files[:3], *files[3:], "--ingested", "-", "--limit", "2", code=0, stdin=rows)
    assert document["summary"]["matched"] == 130
    document = reconcile("--ingested", PURCHASES, f"--sent={files[0]}", *files[1:], "-q", code=1)
    assert document["summary"]["missing"] == 120
    # What comes through a pipe can be written to be sent again, byte for byte.
    again = tmp_path / "again.jsonl"
    arguments = ("--sent", "-", "--ingested", PURCHASES, "--resend", str(again))
    document = reconcile(*arguments, code=1, stdin=b'{"events":[ {"id":"1",  "event_type":"t"}]}')
    assert (document["examples"]["missing"], document["summary"]["unexpected"]) == (["1"], 10)
    assert again.read_bytes() == b'{"events":[{"id":"1",  "event_type":"t"}]}\n'


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--sent", PURCHASES], 2, "--ingested is missing"),
        (["--ingested", PURCHASES], 2, "--sent or --from-journal is missing"),
        (["--sent", "--ingested", PURCHASES], 2, "requires a path"),
        (["--sent", "-", "--ingested", "-"], 2, "standard input (-) is given twice"),
        (["--sent", "x", "y", "--ingested", "z"], 6, "x: no such file or folder; y: no such file or folder; z: no"),
        ([*BOTH, "--grace", "soon"], 2, "--grace is not a duration"),
        ([*BOTH, "--fail-on", "odd"], 2, "--fail-on: `odd` is not a kind of difference"),
        ([*BOTH, "--ids", "a", "--resend", "./a"], 2, "cannot be the same file"),
        ([*BOTH, "--ids", PURCHASES], 2, "this file is an input"),
        (["--journal", PURCHASES, "--ingested", PURCHASES, "--resend", "a"], 2, "--missing-file needs the sent events"),
        ([*BOTH, "--endpoint", "x"], 2, "--endpoint needs --from-journal"),
        (["--journal", "nowhere", "--ingested", PURCHASES], 6, "nowhere"),
    ],
)
def test_invalid_options(arguments: list[str], code: int, message: str) -> None:
    ended = tdcur("reconcile", *arguments)
    assert ended.returncode == code, ended.stderr.decode()
    # Typer folds its own messages in a box.
    assert message in " ".join(ended.stderr.decode().replace("│", " ").split())
    assert ended.stdout == b""


def test_sent_files_that_change_during_the_comparison(tmp_path: Path) -> None:
    """The missing events could not be written correctly, so nothing is written."""
    if shutil.which("mkfifo") is None:
        pytest.skip("needs a named pipe")
    sent, pipe, resend = tmp_path / "sent.jsonl", tmp_path / "pipe", tmp_path / "resend.jsonl"
    sent.write_text('{"events":[{"id":"1","event_type":"t"}]}\n')
    os.mkfifo(pipe)
    command = [*TDCUR, "reconcile", "--sent", str(sent), "--ingested", str(pipe)]
    with subprocess.Popen([*command, "--resend", str(resend)], stderr=subprocess.PIPE) as process:
        # The other side is read when this one has been.
        with pipe.open("wb") as ingested:
            sent.write_text('{"events":[{"id":"2","event_type":"t"}]}\n')
            ingested.write(b'{"events":[]}')
        assert process.stderr
        assert b"have changed while they were compared" in process.stderr.read()
    assert process.returncode == 6
    assert not resend.exists()
