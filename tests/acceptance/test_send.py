"""`tdcur send` as a person or a script runs it: a process, a real endpoint, an exit code."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.exports import avro_of, export_path, record
from tests.scripted import HEX, KEY, PATH, Scripted, end, letters, send, start, write

US01 = f"https://us01.records.in.treasuredata.com{PATH}"
NOBODY = "http://127.0.0.1:1/"


def events(count: int, prefix: str = "e") -> list[dict[str, object]]:
    return [
        {
            "event_type": "users.behaviors.Uninstall",
            "id": f"{prefix}{number}",
            "time": 1_782_900_000 + number,
            "user": {"user_id": "payload-content", "external_user_id": "payload-content"},
            "properties": {"app_group_id": "g", "app_id": "a"},
        }
        for number in range(count)
    ]


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    return write(tmp_path / "payloads.jsonl", *({"events": events(25, prefix)} for prefix in ("a", "b", "c", "d")))


def test_all_delivered_is_exit_0(payloads: Path, scripted: Scripted) -> None:
    result = send(payloads, "--url", scripted.url, "--format", "json")
    assert result.code == 0
    assert sorted(scripted.bodies) == sorted(payloads.read_bytes().splitlines())
    assert all(f"x-td-write-key: {KEY}" in head.lower() for head in scripted.heads)
    assert set(result.summary) == {
        "read", "delivered", "already_delivered", "dead", "undelivered", "unreadable", "rows_rejected", "unknown",
        "deduplicate_sql", "requests", "requests_by_status", "retries", "splits", "bytes", "seconds", "latency_ms",
        "left_out", "anonymous",
    }  # fmt: skip
    assert result.summary["delivered"] == 100
    assert result.summary["bytes"] == sum(map(len, scripted.bodies))
    assert result.summary["requests_by_status"] == {"200": 4}
    assert set(result.summary["latency_ms"]) == {"p50", "p95", "p99"}


def test_an_export_is_sent_once(tmp_path: Path, scripted: Scripted) -> None:
    """The run says whom Braze would have left out; with --identified-only, they are."""
    records = [record(number, external_user_id=None if number % 5 else "x") for number in range(250)]
    for part in (0, 1):
        export_path(tmp_path / "export", part=part).write_bytes(avro_of(records[part::2], codec="snappy"))
    journal = ("--journal", tmp_path / "journal")
    first = send(tmp_path / "export", "--url", scripted.url, "--identified-only", *journal)
    assert (first.code, len(scripted.events)) == (0, 50)
    assert "200 events without external_user_id left out" in first.out
    second = send(tmp_path / "export", "--url", scripted.url, "--format", "json", *journal)
    assert (second.code, len(scripted.events)) == (0, 250)
    expected = {"read": 250, "delivered": 200, "already_delivered": 50, "anonymous": 200, "requests": 2}
    assert {name: second.summary[name] for name in expected} == expected
    third = send(tmp_path / "export", "--url", scripted.url, *journal)
    assert (third.code, len(scripted.events)) == (0, 250)
    assert "200 events without external_user_id, which Braze does not send" in third.err
    dry = send(tmp_path / "export", "--url", scripted.url, "--identified-only", "-n", *journal)
    assert "left out" in dry.out


def test_text_says_that_a_2xx_is_no_proof_of_ingestion(payloads: Path, scripted: Scripted) -> None:
    result = send(payloads, "--url", f"{scripted.url}?td_write_key={KEY.replace('/', '%2F')}")
    assert result.code == 0
    assert "td_write_key=***" in result.err
    assert "td_write_key" not in "".join(scripted.heads)
    assert "HTTP 2xx only means that the request was received" in result.err


def test_standard_input_and_a_key_in_a_file(payloads: Path, scripted: Scripted, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{KEY}\n")
    options = ("-", "--write-key-file", key, "-q")
    process = start(*options, stdin=subprocess.PIPE, TDCUR_URL=scripted.url, TD_WRITE_KEY="")
    result = end(process, stdin=payloads.read_text())
    assert (result.code, result.out, result.err) == (0, "", "")
    assert len(scripted.events) == 100


def test_another_endpoint_gets_the_token_and_not_the_key(payloads: Path, scripted: Scripted) -> None:
    url = scripted.url.replace(PATH, "/v1/task/x")
    assert send(payloads, "--url", url, TDCUR_TOKEN="abc").code == 0  # noqa: S106 -- opens nothing
    assert "authorization: bearer abc" in scripted.heads[0].lower()
    assert HEX not in "".join(scripted.heads)


def test_a_bad_record_among_good_ones_is_exit_1(tmp_path: Path, scripted: Scripted) -> None:
    file = tmp_path / "p.jsonl"
    document, bare = events(1, "1"), events(1, "2")[0]
    file.write_text(f'{json.dumps({"events": document})}\n{{"events": payload-content}}\n{json.dumps(bare)}\n')
    result = send(file, "--url", scripted.url)
    assert result.code == 1
    assert f"{file}:2" in result.err
    assert {event["id"] for event in scripted.events} == {"10", "20"}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--url", f"https://us01.records.in.treasuredata.com/{HEX}"),
        ("--url", f"https://u:{HEX}@example.com/"),
        ("--url", f"{US01.replace('https', 'http')}?td_write_key={HEX}"),
        ("--url", f"{US01}?td_write_key=1%2F{HEX}"),
        ("--url", f"https://[{HEX}"),
        ("--site", "us01", "--database", HEX.upper(), "--table", "my_table"),
        ("--site", "us01"),
        ("--site", "us99"),
        ("--url", NOBODY, "--retry-for", "15"),
        ("--url", NOBODY, "--token-file", "no-such-file"),
        ("--url", NOBODY, "--concurrency", "0"),
        ("--url", NOBODY, "--rate", "0"),
        ("--url", NOBODY.replace("http", "https"), "--client-cert", "no-such-file"),
        ("--check-endpoint",),
    ],
)
def test_wrong_usage_is_exit_2_and_shows_no_key(payloads: Path, arguments: tuple[str, ...]) -> None:
    result = send(payloads, *arguments, TDCUR_DEBUG="1")
    assert result.code == 2
    assert result.err.strip()


def test_a_refused_event_is_exit_3(payloads: Path, scripted: Scripted) -> None:
    scripted.answer = lambda body: 400 if b'"c0"' in body else 200
    result = send(payloads, "--url", scripted.url, "--format", "json")
    text = send(payloads, "--url", scripted.url)
    assert result.code == text.code == 3
    assert (result.summary["delivered"], result.summary["undelivered"], result.summary["dead"]) == (99, 0, 1)
    (problem,) = result.document["problems"]
    assert (problem["source"], problem["line"], problem["event_index"]) == (str(payloads), 3, 0)
    assert f"{payloads}:3" in text.err
    assert "already delivered" in text.out


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_an_endpoint_that_refuses_the_credentials_is_exit_4(payloads: Path, scripted: Scripted, status: int) -> None:
    """Also one that repeats what it was sent: the key must not come out again on our side."""
    scripted.answer, scripted.text = lambda _: status, f"echo {KEY} {HEX}"
    scripted.location = f"https://elsewhere.example/?td_write_key={HEX}"
    result = send(payloads, "--url", scripted.url, "--format", "json", TDCUR_DEBUG="1")
    text = send(payloads, "--url", scripted.url)
    assert result.code == text.code == 4
    assert len(scripted.bodies) == 2
    assert result.summary["delivered"] == 0
    assert str(status) in result.document["error"]["message"]
    assert result.document["error"]["hint"]
    assert str(status) in text.err
    assert ("elsewhere.example" in text.err) is (status == 302)


def test_nobody_listening_is_exit_5_and_shown_while_it_is_retried(payloads: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    result = send(payloads, "--url", f"http://{address}{PATH}", "--retry-for", "1s", "--format", "json")
    assert result.code == 5
    assert result.summary["retries"] >= 1
    assert result.summary["unknown"] == []
    assert set(result.summary["requests_by_status"]) == {"not_connected"}
    assert re.search(rf"^retrying (now|in \d+ s): connection refused \({address}\)", result.err, re.MULTILINE)
    assert f"last error: connection refused ({address})" in result.document["error"]["message"]


def test_an_unknown_host_is_exit_5_at_once(payloads: Path) -> None:
    result = send(payloads, "--url", "https://nobody.invalid/hook", "--format", "json")
    assert (result.code, result.summary["requests"]) == (5, 1)
    assert "resolved" in result.document["error"]["message"]


def test_retries_that_run_out_are_exit_5_and_how_to_resume_is_said(payloads: Path, scripted: Scripted) -> None:
    scripted.answer = lambda _: 503
    options = (payloads, "--url", scripted.url, "--retry-for", "100ms")
    result, text, blank = send(*options, "--format", "json"), send(*options), send(*options, "--no-journal")
    assert (result.code, text.code, blank.code) == (5, 5, 5)
    assert result.summary["undelivered"] == result.summary["read"]
    assert "Run the same command again to resume" in result.document["resume"]
    assert "Run the same command again to resume" in text.err
    assert "sends everything again" in blank.err


def test_a_missing_input_is_exit_6_and_nothing_is_sent(payloads: Path, scripted: Scripted, tmp_path: Path) -> None:
    result = send(payloads, tmp_path / "missing.json", "--url", scripted.url, "--format", "json")
    assert (result.code, scripted.bodies) == (6, [])
    assert "missing.json" in result.document["error"]["message"]


def test_an_input_that_breaks_off_is_exit_6_and_what_was_there_is_sent(
    payloads: Path, scripted: Scripted, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.jsonl.gz"
    packed = subprocess.run(["gzip", "-c", str(payloads)], check=True, capture_output=True).stdout
    torn.write_bytes(packed[:-10])
    result = send(payloads, torn, "--url", scripted.url, "--format", "json")
    assert result.code == 6
    assert result.summary["delivered"] == len(scripted.events) >= 100


def test_faults_are_survived_and_ambiguous_events_are_listed(payloads: Path, scripted: Scripted) -> None:
    faults: list[int | str] = [200, 200, 200, "reset", 200, 503]
    scripted.answer = lambda _: faults.pop()
    result = send(payloads, "--url", scripted.url, "--format", "json", "--concurrency", 1)
    assert result.code == 0
    assert len({event["id"] for event in scripted.events}) == result.summary["delivered"] == 100
    assert result.summary["retries"] == 2
    assert result.summary["requests_by_status"] == {"200": 4, "503": 1, "connection_lost": 1}
    assert result.summary["unknown"] == [f"b{number}" for number in range(25)]


def test_a_timeout_is_ambiguous_and_retried(tmp_path: Path, scripted: Scripted) -> None:
    faults = iter(["hang"])
    scripted.answer = lambda _: next(faults, 200)
    result = send(write(tmp_path / "p.json", *events(2)), "--url", scripted.url, "--timeout", 1, "--format", "json")
    assert result.code == 0
    assert result.summary["unknown"] == ["e0", "e1"]


@pytest.mark.parametrize(
    ("concurrency", "at_first", "then"), [("auto", 8, 10), ("5", 5, 5)], ids=["it grows", "it is a bound"]
)
def test_requests_run_at_once(payloads: Path, scripted: Scripted, concurrency: str, at_first: int, then: int) -> None:
    """One until something was accepted; an automatic concurrency grows by two with each round."""
    scripted.permits = threading.Semaphore(1)
    process = start(payloads, "--url", scripted.url, "--batch-events", 2, "--concurrency", concurrency)
    scripted.wait_for(1 + at_first)
    scripted.permits.release(at_first)
    scripted.wait_for(then)
    assert not scripted.arrived.acquire(timeout=0.1)
    scripted.permits.release(1000)
    assert end(process).code == 0
    assert len(scripted.bodies) == 52


def test_a_dry_run_sends_nothing_and_needs_no_key(payloads: Path, scripted: Scripted) -> None:
    result = send(payloads, "--url", scripted.url, "-n", "--format", "json", TD_WRITE_KEY="")
    text = send(payloads, "--site", "us01", "--database", "braze", "--table", "currents", "-n", TD_WRITE_KEY="")
    assert (result.code, text.code, scripted.bodies) == (0, 0, [])
    summary = result.document["summary"]
    assert (summary["read"], summary["requests"], summary["delivered"]) == (100, 4, 0)
    assert summary["bytes"] == sum(map(len, payloads.read_bytes().splitlines()))
    assert US01 in text.out


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_cleanly_with_the_figures(
    tmp_path: Path, scripted: Scripted, sent: signal.Signals, code: int
) -> None:
    file = write(tmp_path / "p.jsonl", *({"events": events(2, f"{number}-")} for number in range(400)))
    scripted.delay = 0.3
    process = start(file, "--url", scripted.url, "--concurrency", 4, "--format", "json")
    scripted.wait_for(6)
    process.send_signal(sent)
    result = end(process)
    assert result.code == code
    assert result.summary["delivered"] == len(scripted.events)
    assert result.summary["undelivered"] > 0
    assert result.summary["unknown"] == []
    assert result.document["error"]["message"]


def test_a_second_signal_ends_at_once_and_lists_ambiguous_events(tmp_path: Path, scripted: Scripted) -> None:
    scripted.answer = lambda _: "hang"
    process = start(write(tmp_path / "p.jsonl", *events(2)), "--url", scripted.url, "--format", "json")
    scripted.wait_for(1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    result = end(process)
    assert result.code == 130
    assert result.summary["unknown"] == ["e0", "e1"]
    assert result.summary["requests_by_status"] == {"interrupted": 1}


def test_a_signal_while_standard_input_is_silent(scripted: Scripted) -> None:
    # More than the reader takes at once, and then nothing.
    text = json.dumps({"events": events(100)}) + "\n"
    process = start("-", "--url", scripted.url, "--format", "json", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text * (2_000_000 // len(text)))
    process.stdin.flush()
    scripted.wait_for(1)
    process.send_signal(signal.SIGTERM)
    # Standard input stays open all the while.
    assert process.wait(timeout=60) == 143
    assert end(process).summary["delivered"] == len(scripted.events) > 0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    padding = "x" * 300_000
    documents = ([events(1, f"{number}-")[0] | {"user": 7}, *events(2, f"{number}+")] for number in range(30))
    file = tmp_path_factory.mktemp("large") / "p.jsonl"
    return write(file, *({"events": each, "padding": padding} for each in documents))


def is_gone(group: int) -> bool:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_large_file_is_sent_like_a_pipe(large: Path, tmp_path: Path) -> None:
    runs = []
    for name in ("file", "pipe"):
        with Scripted().serving() as endpoint, large.open() as text:
            source, stdin = (large, subprocess.DEVNULL) if name == "file" else ("-", text.fileno())
            options = ("--concurrency", 1, "--journal", tmp_path / name, "--format", "json")
            process = start(source, "--url", endpoint.url, *options, stdin=stdin)
            result = end(process)
        assert (result.code, result.summary["dead"]) == (3, 30)
        assert is_gone(process.pid)
        changing = {"seconds", "latency_ms", "endpoint", "journal", "dead_letter"}
        figures = {name: value for name, value in result.summary.items() if name not in changing}
        dead = [letter["event"] for letter in letters(tmp_path / f"{name}.dead-letter.jsonl")]
        runs.append((endpoint.bodies, figures, dead))
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_after_a_signal_the_same_command_sends_the_rest_of_a_large_file(
    large: Path, tmp_path: Path, scripted: Scripted, sent: signal.Signals, code: int
) -> None:
    options = (large, "--url", scripted.url, "--concurrency", 2, "--journal", tmp_path / "journal", "--format", "json")
    scripted.delay = 0.1
    process = start(*options)
    scripted.wait_for(4)
    os.killpg(process.pid, sent)
    assert process.wait(timeout=60) == code
    assert is_gone(process.pid)
    end(process)
    scripted.delay = 0.0
    result = send(*options)
    assert (result.code, result.summary["dead"]) == (3, 30)
    wanted = {event["id"] for number in range(30) for event in events(2, f"{number}+")}
    assert {event["id"] for event in scripted.events} == wanted


def test_two_runs_at_once_send_each_event_once(payloads: Path, scripted: Scripted) -> None:
    scripted.permits = threading.Semaphore(0)
    options = (payloads, "--url", scripted.url, "--concurrency", 1, "--format", "json")
    first = start(*options)
    scripted.wait_for(1)
    second = send(*options)
    scripted.permits.release(100)
    ended, third = end(first), send(*options)
    assert (ended.code, second.code, third.code) == (0, 6, 0)
    assert "another run" in second.document["error"]["message"]
    assert "--journal" in second.document["error"]["hint"]
    assert third.summary["already_delivered"] == 100
    assert len(scripted.bodies) == 4


def test_events_that_break_the_rules_are_sent_only_when_asked(tmp_path: Path, scripted: Scripted) -> None:
    good, bad = events(2)
    del bad["time"]
    file = write(tmp_path / "p.jsonl", {"events": [good, bad]})
    dead = tmp_path / "dead.jsonl"
    result = send(file, "--url", scripted.url, "--dead-letter", dead, "--format", "json")
    assert result.code == 3
    assert result.summary["requests"] == result.summary["dead"] == 1
    assert result.document["dead_letter"] == str(dead)
    (letter,) = letters(dead)
    assert letter["event"] == bad
    assert letter["reason"].startswith("TDC106 ")
    assert send(dead, "--url", scripted.url).code == 3
    assert send(dead, "--url", scripted.url, "--no-check").code == 0
    assert send(file, "--url", scripted.url).code == 0
    assert scripted.events == [good, bad]
