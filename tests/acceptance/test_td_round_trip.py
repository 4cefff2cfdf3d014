"""From generated events to the proof that they arrived, against stand-ins for both of Treasure Data's APIs."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.serve import Receiver, ServeSettings
from td_currents_cli.serve.settings import FaultSettings, parse_faults
from tests.command import TDCUR, tdcur_text
from tests.td_service.engine import Engine, Result
from tests.td_service.service import Service

KEY = "1/0123456789abcdef0123456789abcdef01234567"
TABLE = ("braze", "currents")
ADDRESS = "td://braze/currents"

Tdcur = Callable[..., "subprocess.CompletedProcess[str]"]


class Live:
    """Queries what an endpoint has stored so far."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def query(self, sql: str) -> Result:
        rows = self._store.read_text("utf-8").splitlines()
        return Engine({TABLE: map(json.loads, rows)}).query(sql)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A Postback endpoint that fails now and then, and shows rows later."""
    trouble = FaultSettings(faults=parse_faults("503=0.05"), seed=3, ingest_delay=0.4)
    with Receiver(ServeSettings(store=tmp_path / "rows.jsonl", write_key=KEY, fault_settings=trouble)) as running:
        yield running


@pytest.fixture
def service(receiver: Receiver) -> Iterator[Service]:
    """A REST API for the rows of the endpoint."""
    with Service(Live(receiver.store), {TABLE: {"events": "string"}}) as running:
        yield running


@pytest.fixture
def tdcur(tmp_path: Path, service: Service) -> Tdcur:
    """Runs a command in a folder of its own, with the settings of the account."""

    def run(*arguments: str, key: str = KEY) -> "subprocess.CompletedProcess[str]":
        return tdcur_text(*arguments, cwd=tmp_path, env={**os.environ, **service.environ(), "TD_WRITE_KEY": key})

    return run


def summary(run: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(run.stdout)["summary"]
    return figures


def test_what_was_sent_arrives(tdcur: Tdcur, receiver: Receiver, service: Service, tmp_path: Path) -> None:
    assert tdcur("generate", "--events", "400", "--seed", "5", "-o", "sent.jsonl").returncode == 0
    url = receiver.url(*TABLE)
    proof = ("--verify", ADDRESS, "--verify-within", "20s", "--format", "json")
    sent = tdcur("send", "sent.jsonl", "--url", url, "--journal", "sent.journal", *proof)
    assert sent.returncode == 0, sent.stderr
    assert summary(sent)["verified"]["arrived"] == summary(sent)["delivered"] == 400
    verified = tdcur("verify", "--from-journal", "sent.journal", "--ingested", ADDRESS)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout == "All 400 event ids arrived in td://braze/currents\n"
    options = ("--by", "channel,day", "--unique", "--dedupe", "--format", "json", "--since", "2020-01-01")
    there = tdcur("count", ADDRESS, *options)
    here = tdcur("count", "sent.jsonl", *options)
    assert there.returncode == here.returncode == 0, there.stderr
    assert json.loads(there.stdout)["counts"] == json.loads(here.stdout)["counts"]
    compared = tdcur("reconcile", "--sent", "sent.jsonl", "--ingested", ADDRESS, "--format", "json")
    assert compared.returncode == 0, compared.stderr
    figures = summary(compared)
    assert (figures["matched"], figures["missing"], figures["unexpected"], figures["changed"]) == (400, 0, 0, 0)
    assert (figures["depth"], figures["content_unknown"]) == ("outline", 0)
    reported = tdcur("report", "sent.jsonl", "--ingested", ADDRESS, "--format", "json")
    assert reported.returncode == 0, reported.stderr
    assert summary(reported)["reconcile"] == figures | {"spilled_bytes": 0}
    assert "rows received from 20" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_wrong_key(tdcur: Tdcur, receiver: Receiver) -> None:
    """It is answered 200, and only asking for the rows shows that nothing arrived."""
    assert tdcur("generate", "--events", "50", "-o", "sent.jsonl").returncode == 0
    wrong = "1/ffffffffffffffffffffffffffffffffffffffff"
    assert tdcur("send", "sent.jsonl", "--url", receiver.url(*TABLE), key=wrong).returncode == 0
    verified = tdcur("verify", "--sent", "sent.jsonl", "--ingested", ADDRESS, "--within", "1s", "--since", "-1h")
    assert verified.returncode == 1
    assert "`verify --since` is deprecated: use --received-since" in verified.stderr
    assert verified.stdout.startswith("0 of 50 event ids arrived in td://braze/currents\n  missing ")
    assert "Most likely the write key is wrong" in verified.stderr


def test_the_printed_query_is_the_one_that_runs(tdcur: Tdcur, service: Service) -> None:
    """`tdcur sql` needs no key; what it prints is what `count` asks."""
    options = ("--by", "channel", "--type", "*.email.*", "--since", "2026-07-01", "--quiet")
    printed = tdcur("sql", "count", ADDRESS, "--exact", *options)
    assert printed.returncode == 0, printed.stderr
    assert tdcur("count", ADDRESS, *options).returncode == 0
    assert printed.stdout.rstrip("\n") == service.queries[0]
    refused = tdcur("sql", "count", ADDRESS, "--dialect", "hive")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "`count` is not supported for Hive" in refused.stderr


def test_an_interrupt_kills_the_job(tmp_path: Path, service: Service) -> None:
    """Ctrl-C ends the wait, and the query that would go on to cost money."""
    service.polls = 10_000
    process = subprocess.Popen(
        [*TDCUR, "count", ADDRESS],
        cwd=tmp_path,
        env={**os.environ, **service.environ()},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    while "job" not in (line := process.stderr.readline()):
        assert line, "it ended before it waited"
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "job 1000 killed" in said
    assert [job.killed for job in service.jobs.values()] == [True]


def test_two_tables(tdcur: Tdcur, service: Service) -> None:
    """Without --since, the events of the last day are compared; what scans is said once."""
    now = int(time.time())
    event = {"event_type": "users.behaviors.Uninstall", "id": "a", "time": now - 60, "user": {"user_id": "u"}}
    old = event | {"id": "old", "time": now - 100_000}
    tables = {
        ("braze", "raw"): [{"time": now - 50, "events": json.dumps([event, old])}],
        ("braze", "flat"): [{"time": now - 40, "event_type": event["event_type"], "id": "a", "user_user_id": "u"}],
    }
    service.reset(Engine(tables), {name: dict.fromkeys(rows[0], "string") for name, rows in tables.items()})
    compared = tdcur("reconcile", "--sent", "td://braze/raw", "--ingested", "td://braze/flat")
    assert compared.returncode == 0, compared.stderr
    assert compared.stdout.endswith("The sent event id arrived.\n")
    assert compared.stderr.count("rows received from") == compared.stderr.count("have no event time") == 1
    received = ("--received-since", f"@{now - 55}", "--received-until", f"@{now - 45}", "--format", "json")
    counted = [json.loads(tdcur("count", f"td://braze/{each}", *received).stdout) for each in ("raw", "flat")]
    assert [each["summary"]["total"] for each in counted] == [2, 0]
    scanned = [f"{datetime.fromtimestamp(now - ago, UTC):%Y-%m-%dT%H:%M:%SZ}" for ago in (55, 45)]
    assert counted[0]["scanned"] == dict(zip(("received_since", "received_until"), scanned, strict=True))
    kept = tdcur("reconcile", "--sent", "td://braze/raw", "--ingested", "td://braze/flat", "--missing-file", "a")
    assert (kept.returncode, kept.stdout) == (2, "")
    assert "--missing-file needs the sent events" in kept.stderr
