"""Whatever happens to the sender or to the endpoint: nothing is lost, and what may be double is said or bounded.

The default run takes short forms; TDCUR_FULL=1 takes those that the project promises.
"""

import json
import os
import random
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.generate import GenerateRequest
from td_currents_cli.generate.command import lines
from td_currents_cli.journal.writer import GROUP
from td_currents_cli.serve import FaultSettings, Receiver, ServeSettings
from td_currents_cli.serve.settings import parse_faults
from tests.command import TDCUR
from tests.scripted import end, start

pytestmark = pytest.mark.chaos

FULL = os.environ.get("TDCUR_FULL") == "1"
KILLS = 50 if FULL else 4
EVENTS = 20_000 if FULL else 3_000
PER_REQUEST = 4
"""Events in a document: few, so that kills fall between many requests."""
CONCURRENCY = 8


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    return write(tmp_path / "payloads.jsonl", EVENTS, PER_REQUEST)


def write(path: Path, events: int, per_batch: int) -> Path:
    path.write_bytes(b"".join(lines(GenerateRequest(events=events, per_batch=per_batch))))
    return path


def ids(text: str) -> Iterator[str]:
    """The ids of payload documents, or of the rows of a store. A row that was torn by a kill is none."""
    for line in text.split("\n"):
        try:
            events = json.loads(line)["events"]
        except json.JSONDecodeError:
            continue
        for event in json.loads(events) if isinstance(events, str) else events:
            yield event["id"]


def stored(store: Path) -> Counter[str]:
    return Counter(ids(store.read_text("utf-8")))


def copies(counts: Counter[str]) -> int:
    return counts.total() - len(counts)


def run(source: Path, url: str, *options: object) -> "subprocess.Popen[str]":
    """Start `tdcur send`, always with the same journal and dead letter beside its input."""
    beside = ("--journal", source.with_suffix(".journal"), "--dead-letter", source.with_suffix(".dead"))
    return start(source, "--url", url, "--concurrency", CONCURRENCY, "--format", "json", *beside, *options)


def ended(process: "subprocess.Popen[str]") -> tuple[int, dict[str, Any], str]:
    result = end(process, seconds=400)
    return result.code, result.summary, result.err


def kill(process: "subprocess.Popen[str]") -> None:
    with process:
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_mixed_faults(tmp_path: Path) -> None:
    payloads = write(tmp_path / "payloads.jsonl", 20_000 if FULL else 2_000, 20)
    # Seed 4 deals each of them within the first hundred requests, which even the short form makes.
    fail = "503=0.1,429=0.02,400=0.05,413=0.02,reset=0.02,accept-then-reset=0.02,slow=0.05:3s,hang=0.01,502=0.02"
    settings = ServeSettings(
        store=tmp_path / "rows.jsonl", fault_settings=FaultSettings(faults=parse_faults(fail), seed=4)
    )
    unknown: set[str] = set()
    with Receiver(settings) as receiver:
        source, code = payloads, 3
        # An event that gets 400 twice is a dead letter; sending those again is how they are not lost.
        for attempt in range(10):
            process = run(source, receiver.url("braze", "currents"), "--retry-for", "5m", "--timeout", 1)
            code, summary, err = ended(process)
            unknown |= set(summary["unknown"])
            assert summary["undelivered"] == 0, err
            assert (code == 0) == (summary["dead"] == 0)
            if code == 0:
                break
            assert (code, attempt < 9) == (3, True)
            dead = source.with_suffix(".dead")
            assert len(dead.read_text("utf-8").splitlines()) == summary["dead"]
            source = dead.rename(tmp_path / f"again-{attempt}.jsonl")
    counts = stored(receiver.store)
    print(f"{attempt} rounds of dead letters, {copies(counts)} events stored twice, {len(unknown)} may be")
    double = {name for name, count in counts.items() if count > 1}
    assert set(counts) == set(ids(payloads.read_text("utf-8")))
    assert double
    assert double <= unknown
    assert set(receiver.stats.by_fault) == {fault.name for fault in parse_faults(fail)}


def kill_senders(receiver: Receiver, payloads: Path, chance: random.Random) -> None:
    for _ in range(KILLS):
        before, process = receiver.stats.requests, run(payloads, receiver.url("braze", "currents"))
        if chance.random() < 0.2:
            # Also while it starts, and opens its journal.
            time.sleep(chance.uniform(0, 1))
        else:
            more = chance.randint(20, 160)
            wait_for(lambda: receiver.stats.requests >= before + more, process)  # noqa: B023 -- used at once
            time.sleep(chance.uniform(0, 0.02))
        kill(process)


def test_the_sender_is_killed(payloads: Path, tmp_path: Path) -> None:
    settings = ServeSettings(store=tmp_path / "rows.jsonl", fault_settings=FaultSettings(latency=0.01))
    with Receiver(settings) as receiver:
        # Seed 21 kills late enough that a sender without a journal would repeat more than is promised.
        kill_senders(receiver, payloads, random.Random(21))
        code, summary, err = ended(run(payloads, receiver.url("braze", "currents")))
    assert (code, summary["undelivered"], summary["dead"]) == (0, 0, 0), err
    assert summary["already_delivered"] > 0
    counts = stored(receiver.store)
    assert set(counts) == set(ids(payloads.read_text("utf-8")))
    print(f"{copies(counts) / PER_REQUEST:.0f} requests repeated after {KILLS} kills")
    assert copies(counts) <= KILLS * (CONCURRENCY + GROUP) * PER_REQUEST


def test_the_sender_is_killed_while_events_are_refused(payloads: Path, tmp_path: Path, poisoned: Any) -> None:
    documents = payloads.read_text("utf-8").splitlines()
    for place in range(0, len(documents), 5):
        documents[place] = documents[place].replace('"properties":{', '"properties":{"poison":1,', 1)
    payloads.write_text("\n".join(documents), encoding="utf-8")
    bad = {event["id"] for line in documents for event in json.loads(line)["events"] if "poison" in str(event)}
    everything = set(ids(payloads.read_text("utf-8")))
    settings = ServeSettings(store=tmp_path / "rows.jsonl", fault_settings=FaultSettings(latency=0.01))
    with Receiver(settings, layer=poisoned) as receiver:
        kill_senders(receiver, payloads, random.Random(21))
        code, summary, err = ended(run(payloads, receiver.url("braze", "currents")))
    assert (code, summary["undelivered"], summary["dead"]) == (3, 0, len(bad)), err
    assert set(stored(settings.store)) == everything - bad
    again = payloads.with_suffix(".dead").rename(tmp_path / "again.jsonl")
    with Receiver(replace(settings, port=receiver.port)) as receiver:
        code, summary, err = ended(run(again, receiver.url("braze", "currents")))
    assert (code, summary["delivered"]) == (0, len(bad)), err
    assert set(stored(settings.store)) == everything


def test_the_endpoint_is_killed(payloads: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    store, port = tmp_path / "rows.jsonl", free_port()
    endpoint = serve(store, port)
    process = run(payloads, f"http://127.0.0.1:{port}/postback/v3/event/braze/currents", "--retry-for", "5m")
    try:
        for _ in range(KILLS):
            least = size(store) + chance.randint(5, 60) * 1000 * PER_REQUEST
            wait_for(lambda: size(store) >= least, process)  # noqa: B023 -- used at once
            time.sleep(chance.uniform(0, 0.02))
            kill(endpoint)
            endpoint = serve(store, port)
        code, summary, err = ended(process)
    finally:
        for each in (process, endpoint):
            each.kill()
            each.communicate()
    assert (code, summary["delivered"]) == (0, EVENTS), err
    counts = stored(store)
    assert set(counts) == set(ids(payloads.read_text("utf-8")))
    assert {name for name, count in counts.items() if count > 1} <= set(summary["unknown"])
    print(f"{copies(counts) / PER_REQUEST:.0f} requests stored twice after {KILLS} kills")
    assert copies(counts) <= KILLS * CONCURRENCY * PER_REQUEST


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def serve(store: Path, port: int) -> "subprocess.Popen[str]":
    options = ("--port", str(port), "--store", str(store), "--latency", "10ms", "--quiet")
    process = subprocess.Popen([*TDCUR, "serve", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: listens(port), process)
    return process


def listens(port: int) -> bool:
    with closing(socket.socket()) as sender:
        return sender.connect_ex(("127.0.0.1", port)) == 0


def size(store: Path) -> int:
    return store.stat().st_size if store.exists() else 0
