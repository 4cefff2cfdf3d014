"""A receiver that misbehaves, over a real socket: what the sender sees, what is stored, what is counted."""

import http.client
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import OutputError
from td_currents_cli.serve import FaultSettings, Receiver, RequestLog, RequestResult, ServeSettings
from td_currents_cli.serve.settings import parse_faults

KEY = {"X-TD-Write-Key": "1/key"}
PATH = "/postback/v3/event/braze/currents"
BODY = b'{"events":[{"id":"a"}]}'
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-TD-Write-Key: k\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()

STOP_WITHIN = ServeSettings(store=Path("rows.jsonl")).stop_within
"""Seconds that a stop waits for requests in flight: one that takes less has waited for none."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


def receiver(store: Path, fail: str = "", *, heard: list[RequestLog] | None = None, **asked: Any) -> Receiver:
    """A receiver that is not yet running."""
    asked["faults"] = parse_faults(fail) if fail else ()
    settings = ServeSettings(store=store, fault_settings=FaultSettings(**asked))
    return Receiver(settings, ([] if heard is None else heard).append)


@contextmanager
def connected(running: Receiver, timeout: float = 20) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(running.host, running.port, timeout=timeout)) as connection:
        yield connection


def ask(connection: http.client.HTTPConnection, body: bytes = BODY) -> http.client.HTTPResponse:
    connection.request("POST", PATH, body, KEY)
    answer = connection.getresponse()
    answer.read()
    return answer


def stored(store: Path) -> list[Any]:
    return [event["id"] for line in store.read_text().splitlines() for event in json.loads(json.loads(line)["events"])]


def body(event_id: str) -> bytes:
    return json.dumps({"events": [{"id": event_id}]}).encode()


@pytest.mark.parametrize(
    ("fail", "status", "retry_after"),
    [
        ("503=1", 503, None),
        ("503=1:2500ms", 503, "3"),
        ("429=1", 429, "1"),
        ("429=1:0s", 429, "0"),
        ("400=1", 400, None),
        ("413=1", 413, None),
        ("302=1", 302, None),
        ("200=1", 200, None),
        ("204=1", 204, None),
        ("599=1", 599, None),
    ],
)
def test_a_status(store: Path, fail: str, status: int, retry_after: str | None) -> None:
    """The answer is the one asked for, even a success; nothing is stored, and the connection goes on."""
    heard: list[RequestLog] = []
    with receiver(store, fail, heard=heard) as running, connected(running) as connection:
        answers = [ask(connection) for _ in range(3)]
    assert [(answer.status, answer.headers["retry-after"]) for answer in answers] == [(status, retry_after)] * 3
    assert store.read_bytes() == b""
    assert running.stats.by_result == {RequestResult.FAULT: 3}
    assert running.stats.by_status == {status: 3}
    assert running.stats.by_fault == {fail.partition("=")[0]: 3}
    assert {(each.fault, each.size) for each in heard} == {(fail.partition("=")[0], len(BODY))}


def test_reset(store: Path) -> None:
    """The connection is reset before the body is taken: nothing is stored."""
    with receiver(store, "reset=1") as running, socket.create_connection((running.host, running.port), 20) as sender:
        sender.sendall(HEAD)
        with pytest.raises(ConnectionResetError):
            sender.recv(1)
    assert store.read_bytes() == b""
    assert (running.stats.by_result, running.stats.by_fault) == ({RequestResult.FAULT: 1}, {"reset": 1})
    assert (running.stats.by_status, running.stats.bytes) == ({}, 0)


def test_accept_then_reset(store: Path) -> None:
    """The row is stored, and its sender does not learn of it."""
    heard: list[RequestLog] = []
    with receiver(store, "accept-then-reset=1", heard=heard) as running, connected(running) as connection:
        connection.request("POST", PATH, BODY, KEY)
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        assert stored(store) == ["a"]
    assert (running.stats.by_result, running.stats.by_fault) == ({RequestResult.STORED: 1}, {"accept-then-reset": 1})
    assert [(each.status, each.events, each.fault) for each in heard] == [(None, 1, "accept-then-reset")]


def test_slow(store: Path) -> None:
    """The row is stored at once, the answer comes late."""
    with receiver(store, "slow=1:1s") as running, connected(running) as connection:
        began = time.monotonic()
        connection.request("POST", PATH, BODY, KEY)
        while not running.stats.stored:
            time.sleep(0.01)
        assert not select.select([connection.sock], [], [], 0)[0]
        assert stored(store) == ["a"]
        assert connection.getresponse().status == 200
        assert time.monotonic() - began >= 1
    assert (running.stats.by_status, running.stats.by_fault) == ({200: 1}, {"slow": 1})


def test_hang(store: Path) -> None:
    """No answer comes and nothing is stored; a stop does not wait for it."""
    with socket.socket() as sender:
        with receiver(store, "hang=1") as running:
            sender.connect((running.host, running.port))
            sender.sendall(HEAD + BODY)
            sender.settimeout(0.4)
            with pytest.raises(TimeoutError):
                sender.recv(1)
            began = time.monotonic()
        assert time.monotonic() - began < STOP_WITHIN
        with pytest.raises(ConnectionResetError):
            sender.recv(1)
    assert store.read_bytes() == b""
    assert (running.stats.by_result, running.stats.by_fault) == ({RequestResult.FAULT: 1}, {"hang": 1})


def test_a_sender_that_does_not_wait(store: Path) -> None:
    """Who leaves before a late answer, or one that never comes, holds nothing up."""
    with receiver(store, "hang=0.5,slow=0.5:30s") as running:
        for _ in range(6):
            with socket.create_connection((running.host, running.port)) as sender:
                sender.sendall(HEAD + BODY)
        while running.stats.requests < 6:
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < STOP_WITHIN
    assert running.stats.by_fault.total() == 6


def test_a_stop_sends_what_is_held_back(store: Path) -> None:
    with receiver(store, "slow=1:30s") as running:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=20)
        connection.request("POST", PATH, BODY, KEY)
        while not running.stats.stored:
            time.sleep(0.01)
        began = time.monotonic()
    with closing(connection):
        assert connection.getresponse().status == 200
    assert time.monotonic() - began < STOP_WITHIN


def test_latency(store: Path) -> None:
    """Every answer is late, that of a fault too; the faults' own lateness is added."""
    took = []
    with receiver(store, "503=0.5,slow=0.2:100ms", seed=3, latency=0.1) as running, connected(running) as connection:
        for _ in range(8):
            began = time.monotonic()
            ask(connection)
            took.append(time.monotonic() - began)
    assert set(running.stats.by_fault) == {"503", "slow"}
    assert running.stats.by_fault.total() < 8
    assert min(took) >= 0.1
    assert max(took) >= 0.2


def test_rows_appear_later(store: Path) -> None:
    """A row is answered first and in the store after the delay; rows keep their order, and their time of receipt."""
    with receiver(store, ingest_delay=2) as running, connected(running) as connection:
        received = time.time()
        for number in range(3):
            assert ask(connection, body(str(number))).status == 200
        answered = time.time()
        assert (running.stats.stored, store.read_bytes()) == (3, b"")
        deadline = time.monotonic() + 20
        while len(stored(store)) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert time.time() - received >= 2
        assert stored(store) == ["0", "1", "2"]
    assert all(int(received) <= json.loads(line)["time"] <= answered for line in store.read_text().splitlines())


def test_a_stop_writes_rows_that_wait(store: Path) -> None:
    """What has been answered 200 is in the store when the receiver has stopped."""
    with receiver(store, ingest_delay=300.0) as running, connected(running) as connection:
        for number in range(3):
            ask(connection, body(str(number)))
        assert store.read_bytes() == b""
    assert stored(store) == ["0", "1", "2"]


def test_rows_that_wait_and_cannot_be_written() -> None:
    """A full disk that shows only after the answer ends the run as an error."""

    def run() -> None:
        with receiver(Path("/dev/full"), ingest_delay=0.01) as running, connected(running) as connection:
            assert ask(connection).status == 200
            time.sleep(0.1)

    with pytest.raises(OutputError, match="cannot write all rows to /dev/full: No space left"):
        run()


@pytest.mark.parametrize("delay", [0.0, 300.0])
def test_a_full_store(store: Path, delay: float) -> None:
    """After N rows every other is answered 507 and not stored; a connection test still gets its 200."""
    with receiver(store, max_rows=2, ingest_delay=delay) as running, connected(running) as connection:
        statuses = [ask(connection, body(str(number))).status for number in range(4)]
        statuses.append(ask(connection, b"").status)
    assert statuses == [200, 200, 507, 507, 200]
    assert stored(store) == ["0", "1"]
    assert running.stats.by_result == {
        RequestResult.STORED: 2,
        RequestResult.REFUSED: 2,
        RequestResult.CONNECTION_TEST: 1,
    }


def test_the_same_seed_the_same_answers(store: Path) -> None:
    """Two runs with one seed answer a sequence of requests alike, one with another does not."""

    def statuses(seed: int) -> list[int]:
        with receiver(store, "503=0.3,429=0.2,200=0.1", seed=seed) as running, connected(running) as connection:
            return [ask(connection).status for _ in range(40)]

    first = statuses(1)
    assert first == statuses(1) != statuses(2)
    assert {200, 429, 503} == set(first)


def test_what_is_not_stored_is_told(store: Path) -> None:
    """Among many faults at once the store holds what the figures say, row for row."""
    heard: list[RequestLog] = []
    fail = "503=0.2,reset=0.1,accept-then-reset=0.2,slow=0.2:5ms,hang=0.1,200=0.05"
    with receiver(store, fail, seed=5, heard=heard) as running:

        def send(name: str) -> None:
            for number in range(20):
                with suppress(OSError), connected(running, timeout=0.5) as connection:
                    ask(connection, body(f"{name}{number}"))

        threads = [threading.Thread(target=send, args=(name,)) for name in "abcdef"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = [each for each in heard if each.result is RequestResult.STORED]
    assert len(heard) == 120
    assert len(stored(store)) == len(set(stored(store))) == len(told)
    assert {each.fault for each in told} == {"", "accept-then-reset", "slow"}
    assert {each.fault for each in heard} - {each.fault for each in told} == {"503", "reset", "hang", "200"}


def test_answers_by_content(store: Path, poisoned: Any) -> None:
    """A layer of a test's own answers by what is in a body, and leaves the rest to the endpoint."""
    with Receiver(ServeSettings(store=store), layer=poisoned) as running, connected(running) as connection:
        assert [ask(connection, body(name)).status for name in ("a", "poison", "b")] == [200, 400, 200]
    assert stored(store) == ["a", "b"]
