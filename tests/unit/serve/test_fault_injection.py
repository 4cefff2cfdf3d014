"""Faults: how they are written, which request meets which, and what its sender and the store get of it."""

import json
import select
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import reduce
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.serve import RequestResult, ServeSettings
from td_currents_cli.serve.fault_injection import draw_faults
from td_currents_cli.serve.settings import Fault, parse_faults
from tests.serving import BODY, Served, Start, ask, body, head

SPECIFICATION = "503=0.1,429=0.05,400=0,413=1e-3,reset=0.02,accept-then-reset=0.02,slow=0.1:500ms,hang=0.01"

NO_SHARES = ("", "10%", "-0.1", "1.5", "nan")

STOP_WITHIN = ServeSettings(store=Path("rows.jsonl")).stop_within
"""Seconds that a stop waits for requests in flight: one that takes less has waited for none."""


def test_a_specification() -> None:
    """Each fault has its probability, and a duration where it takes one; it is shown as it is written."""
    faults = parse_faults(SPECIFICATION)
    assert [fault.share for fault in faults] == [0.1, 0.05, 0, 0.001, 0.02, 0.02, 0.1, 0.01]
    assert ",".join(map(str, faults)) == (
        "503=0.1,429=0.05:1s,400=0,413=0.001,reset=0.02,accept-then-reset=0.02,slow=0.1:0.5s,hang=0.01"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("slow=1", 2.0), ("slow=1:1m", 60.0), ("429=1", 1.0), ("429=1:0", 0.0), ("503=1", None), ("503=1:2s", 2.0)],
)
def test_durations(text: str, seconds: float | None) -> None:
    """`slow` is 2 s late and 429 asks for 1 s, unless told otherwise; other statuses ask for nothing."""
    assert parse_faults(f" {text} ") == (Fault(name=text.partition("=")[0], share=1.0, seconds=seconds),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ", character 1: '' is not a fault"),
        ("503=0.1,", ", character 9: '' is not a fault"),
        ("503=0.1,  resett=1", ", character 11: 'resett' is not a fault"),
        ("199=1", ", character 1: '199' is not a fault"),
        ("600=1", ", character 1: '600' is not a fault"),
        ("5\u06603=1", ", character 1: '5\u06603' is not a fault"),
        ("hang=0,503", ", character 12: 503 needs a probability from 0 to 1"),
        *(
            (f"503={share}", ", character 5: 503 needs a probability from 0 to 1")
            for share in ("", "10%", "-0.1", "1.5", "nan")
        ),
        ("503=0.1,slow=0.1:2", ", character 18: the duration of slow is not a duration"),
        ("slow=0.1:", ", character 10: the duration of slow is not a duration"),
        ("hang=0.1:2s", ", character 10: hang takes no duration"),
        ("503=0.1,503=0.2", ", character 9: 503 is repeated"),
        ("503=0.5,429=0.5,hang=0.1", ": the probabilities add up to 1.1, more than 1"),
    ],
)
def test_a_wrong_specification(text: str, message: str) -> None:
    """Each mistake says where it is in the text, and shows how it is written."""
    with pytest.raises(UsageError) as raised:
        parse_faults(text)
    assert raised.value.message == f"--fail{message}"
    assert raised.value.hint


def dealt(specification: str, seed: int, requests: int) -> list[str]:
    """The names of the faults that so many requests meet; empty for none."""
    faults = islice(draw_faults(parse_faults(specification), seed), requests)
    return ["" if fault is None else fault.name for fault in faults]


def test_the_same_seed_deals_the_same() -> None:
    """What the nth request meets depends on the specification, the seed and n alone, on every machine."""
    assert dealt(SPECIFICATION, 7, 1000) == dealt(SPECIFICATION, 7, 1000) != dealt(SPECIFICATION, 8, 1000)
    assert dealt("503=0.4,hang=0.2", 7, 10) == ["503", "503", "", "503", "hang", "503", "503", "hang", "503", "hang"]


def test_shares() -> None:
    met = Counter(dealt(SPECIFICATION, 1, 20_000))
    for fault in parse_faults(SPECIFICATION):
        assert met[fault.name] / 20_000 == pytest.approx(fault.share, abs=0.005)
    assert (met["400"], met[""] > 0) == (0, True)


def test_ten_tenths_leave_no_request_alone() -> None:
    """Probabilities that add up to 1 do so whatever binary fractions make of them."""
    everything = ",".join(f"{status}=0.1" for status in range(500, 510))
    assert "" not in dealt(everything, 0, 1000)
    # Added one by one: `sum` is compensated since Python 3.12.
    assert reduce(add, (fault.share for fault in parse_faults(everything))) < 1


@pytest.mark.parametrize(
    ("fail", "retry_after"),
    [
        *((f"{status}=1", None) for status in (503, 400, 413, 302, 200, 204, 599)),
        ("503=1:2500ms", "3"),
        ("429=1", "1"),
        ("429=1:0s", "0"),
    ],
)
def test_a_status(start: Start, fail: str, retry_after: str | None) -> None:
    """The answer is the one asked for, even a success; nothing is stored, and the connection goes on."""
    endpoint, name = start(fail), fail[:3]
    with endpoint.connected() as connection:
        answers = [ask(connection) for _ in range(3)]
    assert [(str(answer.status), answer.headers["retry-after"]) for answer in answers] == [(name, retry_after)] * 3
    assert endpoint.store.read_bytes() == b""
    assert endpoint.stats.by_result == {RequestResult.FAULT: 3}
    assert (endpoint.stats.by_status, endpoint.stats.by_fault) == ({int(name): 3}, {name: 3})
    assert {(each.fault, each.size) for each in endpoint.heard} == {(name, len(BODY))}


def test_reset(start: Start) -> None:
    """The connection is reset before the body is taken: nothing is stored."""
    endpoint = start("reset=1")
    with endpoint.opened() as sender:
        sender.sendall(head())
        with pytest.raises(ConnectionResetError):
            sender.recv(1)
    assert endpoint.store.read_bytes() == b""
    assert (endpoint.stats.by_result, endpoint.stats.by_fault) == ({RequestResult.FAULT: 1}, {"reset": 1})
    assert (endpoint.stats.by_status, endpoint.stats.bytes) == ({}, 0)


def test_accept_then_reset(start: Start) -> None:
    """The row is stored, and its sender does not learn of it."""
    endpoint = start("accept-then-reset=1")
    with pytest.raises(ConnectionResetError):
        endpoint.ask()
    assert endpoint.events() == ["a"]
    assert (endpoint.stats.by_result, endpoint.stats.by_fault) == ({RequestResult.STORED: 1}, {"accept-then-reset": 1})
    assert [(each.status, each.events, each.fault) for each in endpoint.heard] == [(None, 1, "accept-then-reset")]


def test_slow(start: Start) -> None:
    """The row is stored at once, the answer comes late."""
    endpoint = start("slow=1:1s")
    with endpoint.opened() as sender:
        began = time.monotonic()
        sender.sendall(head() + BODY)
        endpoint.wait_for(1)
        assert not select.select([sender], [], [], 0)[0]
        assert endpoint.events() == ["a"]
        assert sender.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began >= 1
    assert (endpoint.stats.by_status, endpoint.stats.by_fault) == ({200: 1}, {"slow": 1})


@pytest.mark.parametrize("fail", ["hang=1", "slow=1:30s"])
def test_a_stop_does_not_wait_for_faults(store: Path, fail: str) -> None:
    """A late answer is sent at once. One that never comes does not, and its row is not stored."""
    with Served(store, fail) as endpoint:
        sender = endpoint.opened()
        sender.sendall(head() + BODY)
        endpoint.wait_for(1)
        assert not select.select([sender], [], [], 0.4)[0]
        began = time.monotonic()
    assert time.monotonic() - began < STOP_WITHIN
    with sender:
        if fail == "hang=1":
            with pytest.raises(ConnectionResetError):
                sender.recv(1)
            assert store.read_bytes() == b""
            assert (endpoint.stats.by_result, endpoint.stats.by_fault) == ({RequestResult.FAULT: 1}, {"hang": 1})
        else:
            assert sender.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_sender_that_does_not_wait(store: Path) -> None:
    """Who leaves before a late answer, or one that never comes, holds nothing up."""
    with Served(store, "hang=0.5,slow=0.5:30s") as endpoint:
        for _ in range(6):
            with endpoint.opened() as sender:
                sender.sendall(head() + BODY)
        endpoint.wait_for(6)
        began = time.monotonic()
    assert time.monotonic() - began < STOP_WITHIN
    assert endpoint.stats.by_fault.total() == 6


def test_latency(start: Start) -> None:
    """Every answer is late, that of a fault too; the faults' own lateness is added."""
    endpoint, took = start("503=0.5,slow=0.2:100ms", seed=3, latency=0.1), []
    with endpoint.connected() as connection:
        for _ in range(8):
            began = time.monotonic()
            ask(connection)
            took.append(time.monotonic() - began)
    assert set(endpoint.stats.by_fault) == {"503", "slow"}
    assert endpoint.stats.by_fault.total() < 8
    assert min(took) >= 0.1
    assert max(took) >= 0.2


def test_rows_appear_later(start: Start) -> None:
    """A row is answered first and in the store after the delay; rows keep their order, and their time of receipt."""
    endpoint, received = start(ingest_delay=2), time.time()
    assert [endpoint.ask(body(name)).status for name in "abc"] == [200, 200, 200]
    answered = time.time()
    assert (endpoint.stats.stored, endpoint.store.read_bytes()) == (3, b"")
    deadline = time.monotonic() + 20
    while len(endpoint.events()) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert time.time() - received >= 2
    assert endpoint.events() == ["a", "b", "c"]
    times = [json.loads(line)["time"] for line in endpoint.store.read_text().splitlines()]
    assert all(int(received) <= each <= answered for each in times)


def test_rows_that_wait_and_cannot_be_written() -> None:
    """A full disk that shows only after the answer ends the run as an error."""

    def run() -> None:
        with Served(Path("/dev/full"), ingest_delay=0.01) as endpoint:
            assert endpoint.ask().status == 200
            time.sleep(0.1)

    with pytest.raises(OutputError, match="cannot write all rows to /dev/full: No space left"):
        run()


@pytest.mark.parametrize("delay", [0.0, 300.0])
def test_a_full_store(store: Path, delay: float) -> None:
    """After N rows every other is answered 507 and not stored; a connection test still gets its 200.

    What has been answered 200 is in the store when the endpoint has stopped, even if it waits.
    """
    with Served(store, max_rows=2, ingest_delay=delay) as endpoint:
        assert [endpoint.ask(sent).status for sent in (*map(body, "abcd"), b"")] == [200, 200, 507, 507, 200]
        assert endpoint.events() == ([] if delay else ["a", "b"])
    assert endpoint.events() == ["a", "b"]
    results = {RequestResult.STORED: 2, RequestResult.REFUSED: 2, RequestResult.CONNECTION_TEST: 1}
    assert endpoint.stats.by_result == results


def test_what_is_not_stored_is_told(store: Path) -> None:
    """Among many faults at once the store holds what the figures say, row for row."""
    fail = "503=0.2,reset=0.1,accept-then-reset=0.2,slow=0.2:5ms,hang=0.1,200=0.05"
    with Served(store, fail, seed=5) as endpoint:

        def send(name: str) -> None:
            for number in range(20):
                with suppress(OSError), endpoint.connected(timeout=0.5) as connection:
                    ask(connection, body(f"{name}{number}"))

        threads = [threading.Thread(target=send, args=(name,)) for name in "abcdef"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = [each for each in endpoint.heard if each.result is RequestResult.STORED]
    assert len(endpoint.heard) == 120
    assert len(endpoint.events()) == len(set(endpoint.events())) == len(told)
    assert {each.fault for each in told} == {"", "accept-then-reset", "slow"}
    assert {each.fault for each in endpoint.heard} - {each.fault for each in told} == {"503", "reset", "hang", "200"}


def test_answers_by_content(start: Start, poisoned: Any) -> None:
    """A layer of a test's own answers by what is in a body, and leaves the rest to the endpoint."""
    endpoint = start(layer=poisoned)
    assert [endpoint.ask(body(name)).status for name in ("a", "poison", "b")] == [200, 400, 200]
    assert endpoint.events() == ["a", "b"]
