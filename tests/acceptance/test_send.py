"""`tdcur send` as a person or a script runs it: a process, a real endpoint, an exit code."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.journal.writer import GROUP

HEX = "5ec4e7" * 6 + "5ec4"
KEY = f"4711/{HEX}"
PATH = "/postback/v3/event/my_db/my_table"

Say = int | str
"""What the endpoint does with a request: answers with this status, or `reset`, `hang`, or `redirect`."""


@dataclass
class Endpoint:
    """A scripted endpoint on a free port, in a thread of its own.

    Attributes:
        say: what to do with the request of that number, from 0, and body.
        delay: seconds before each answer.
        is_held: whether no answer is given until this is set to False.
        bodies: what has arrived, in order.
        arrived: released once for each request that has arrived.
    """

    say: Callable[[int, bytes], Say] = lambda *_: 200
    delay: float = 0.0
    is_held: bool = False
    bodies: list[bytes] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def events(self) -> list[Any]:
        return [event for body in self.bodies for event in json.loads(body)["events"]]

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length")
                )
                body = await reader.readexactly(length)
                say = self.say(len(self.bodies), body)
                self.bodies.append(body)
                self.heads.append(head)
                self.arrived.release()
                if say == "reset":
                    break
                await asyncio.sleep(3600 if say == "hang" else self.delay)
                while self.is_held:  # noqa: ASYNC110 -- set by another thread
                    await asyncio.sleep(0.02)
                writer.write(_answer(say))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def run(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        # Those that hang, or wait for a next request. Before any waiting for the server, which waits for them.
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)


def _answer(say: Say) -> bytes:
    # A server that echoes what it was sent: the key must not come out again on our side.
    body = f"echo {KEY} {HEX}"
    status = 302 if say == "redirect" else say
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
    if say == "redirect":
        head += f"Location: https://elsewhere.example/?td_write_key={HEX}\r\n"
    return f"{head}\r\n{body}".encode()


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(endpoint.run(ready, stop)))
    thread.start()
    try:
        assert ready.wait(10)
        yield endpoint
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads(self.out)["summary"]
        states = ("delivered", "already_delivered", "dead", "undelivered")
        assert summary["read"] == sum(summary[state] for state in states)
        assert summary["requests"] == sum(summary["requests_by_status"].values())
        return summary


def environment() -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "TD_WRITE_KEY": KEY,
        "PYTHONWARNINGS": "error::ResourceWarning",
    }


def start(*arguments: object, stdin: int = subprocess.DEVNULL, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "td_currents_cli", "send", *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(), **environ},
        # Of its own, so that it can be told whether a process stays behind.
        process_group=0,
    )


def end(process: subprocess.Popen[str], *, stdin: str | None = None) -> Result:
    """Wait for the end; nothing of the key, no traceback and no payload content may have been printed."""
    with process:
        try:
            out, err = process.communicate(stdin, timeout=60)
        finally:
            process.kill()
    assert HEX not in out + err
    assert "Traceback" not in err
    assert "payload-content" not in err
    return Result(process.returncode, out, err)


def send(*arguments: object, **environ: str) -> Result:
    return end(start(*arguments, stdin=subprocess.DEVNULL, **environ))


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


def write(path: Path, *documents: object) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return path


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    return write(tmp_path / "payloads.jsonl", *({"events": events(25, prefix)} for prefix in ("a", "b", "c", "d")))


def test_all_delivered_is_exit_0(payloads: Path) -> None:
    with serving(Endpoint()) as endpoint:
        result = send(payloads, "--url", endpoint.url, "--format", "json")
    assert result.code == 0
    assert sorted(endpoint.bodies) == sorted(payloads.read_bytes().splitlines())
    assert all(f"x-td-write-key: {KEY}" in head.lower() for head in endpoint.heads)
    assert set(result.summary) == {
        "read", "delivered", "already_delivered", "dead", "undelivered", "unknown", "deduplicate_sql", "requests",
        "requests_by_status", "retries", "splits", "bytes", "seconds", "latency_ms",
    }  # fmt: skip
    assert result.summary["delivered"] == 100
    assert result.summary["bytes"] == sum(map(len, endpoint.bodies))
    assert result.summary["requests_by_status"] == {"200": 4}
    assert set(result.summary["latency_ms"]) == {"p50", "p95", "p99"}


def test_text_says_that_a_2xx_is_no_proof_of_ingestion(payloads: Path) -> None:
    with serving(Endpoint()) as endpoint:
        result = send(payloads, "--url", f"{endpoint.url}?td_write_key={KEY.replace('/', '%2F')}")
    assert result.code == 0
    assert "td_write_key=***" in result.out
    assert "td_write_key" not in "".join(endpoint.heads)
    assert "HTTP 2xx only means that the request was received" in result.err


def test_standard_input_and_every_way_to_give_the_key(payloads: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{KEY}\n")
    with serving(Endpoint()) as endpoint:
        process = start(
            "-", "--write-key-file", key, "-q", stdin=subprocess.PIPE, TDCUR_URL=endpoint.url, TD_WRITE_KEY=""
        )
        result = end(process, stdin=payloads.read_text())
    assert (result.code, result.out, result.err) == (0, "", "")
    assert len(endpoint.events) == 100


def test_a_bad_record_among_good_ones_is_exit_1(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    document, bare = events(1, "1"), events(1, "2")[0]
    file.write_text(f'{json.dumps({"events": document})}\n{{"events": payload-content}}\n{json.dumps(bare)}\n')
    with serving(Endpoint()) as endpoint:
        result = send(file, "--url", endpoint.url)
    assert result.code == 1
    assert f"{file}:2" in result.err
    assert {event["id"] for event in endpoint.events} == {"10", "20"}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--url", f"https://us01.records.in.treasuredata.com/{HEX}"),
        ("--url", f"https://u:{HEX}@example.com/"),
        ("--url", f"http://us01.records.in.treasuredata.com{PATH}?td_write_key={HEX}"),
        ("--url", f"https://us01.records.in.treasuredata.com{PATH}?td_write_key=1%2F{HEX}"),
        ("--url", f"https://[{HEX}"),
        ("--site", "us01", "--database", HEX.upper(), "--table", "my_table"),
        ("--site", "us01"),
        ("--url", "http://127.0.0.1:1/", "--retry-for", "15"),
        ("--url", "http://127.0.0.1:1/", "--token-file", "no-such-file"),
        ("--url", "http://127.0.0.1:1/", "--concurrency", "0"),
        ("--site", "us99"),
    ],
)
def test_wrong_usage_is_exit_2_and_shows_no_key(payloads: Path, arguments: tuple[str, ...]) -> None:
    process = start(payloads, *arguments, stdin=subprocess.DEVNULL, TDCUR_DEBUG="1")
    with process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert HEX not in (out + err).lower()
    assert err.strip()


def test_a_refused_event_is_exit_3(payloads: Path) -> None:
    with serving(Endpoint(say=lambda _, body: 400 if b'"c0"' in body else 200)) as endpoint:
        result = send(payloads, "--url", endpoint.url, "--format", "json")
        text = send(payloads, "--url", endpoint.url)
    assert result.code == text.code == 3
    assert (result.summary["delivered"], result.summary["undelivered"], result.summary["dead"]) == (99, 0, 1)
    (problem,) = json.loads(result.out)["problems"]
    assert (problem["source"], problem["line"], problem["event_index"]) == (str(payloads), 3, 0)
    assert f"{payloads}:3" in text.err
    assert "already delivered" in text.out


def test_an_event_too_large_for_any_request_is_exit_3(tmp_path: Path) -> None:
    large = {**events(1)[0], "id": "x" * 2000}
    file = write(tmp_path / "p.jsonl", {"events": [*events(3), large]})
    with serving(Endpoint()) as endpoint:
        result = send(file, "--url", endpoint.url, "--batch-bytes", 1000, "--format", "json")
    assert result.code == 3
    assert endpoint.events == events(3)
    assert (result.summary["delivered"], result.summary["dead"]) == (3, 1)


@pytest.mark.parametrize(("say", "said"), [(401, "401"), (403, "403"), (404, "404"), ("redirect", "302")])
def test_an_endpoint_that_refuses_the_credentials_is_exit_4(payloads: Path, say: Say, said: str) -> None:
    with serving(Endpoint(say=lambda *_: say)) as endpoint:
        result = send(payloads, "--url", endpoint.url, "--format", "json", TDCUR_DEBUG="1")
        text = send(payloads, "--url", endpoint.url)
    assert result.code == text.code == 4
    assert len(endpoint.bodies) == 2
    assert result.summary["delivered"] == 0
    error = json.loads(result.out)["error"]
    assert said in error["message"]
    assert error["hint"]
    assert said in text.err
    if say == "redirect":
        assert "elsewhere.example" in text.err


def test_nobody_listening_is_exit_5(payloads: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        result = send(
            payloads,
            "--url",
            f"http://127.0.0.1:{unused.getsockname()[1]}{PATH}",
            "--retry-for",
            "1s",
            "--format",
            "json",
        )
    assert result.code == 5
    assert time.monotonic() - begun > 1
    assert result.summary["retries"] >= 1
    assert result.summary["unknown"] == []
    assert set(result.summary["requests_by_status"]) == {"not_connected"}


def test_an_unknown_host_is_exit_5_at_once(payloads: Path) -> None:
    result = send(payloads, "--url", "https://nobody.invalid/hook", "--format", "json")
    assert result.code == 5
    assert result.summary["requests"] == 1
    assert "resolved" in json.loads(result.out)["error"]["message"]


def test_retries_that_run_out_are_exit_5(payloads: Path) -> None:
    with serving(Endpoint(say=lambda *_: 503)) as endpoint:
        result = send(payloads, "--url", endpoint.url, "--retry-for", "300ms", "--format", "json")
    assert result.code == 5
    assert result.summary["undelivered"] == result.summary["read"]


def test_a_missing_input_is_exit_6_and_nothing_is_sent(payloads: Path, tmp_path: Path) -> None:
    with serving(Endpoint()) as endpoint:
        result = send(payloads, tmp_path / "missing.json", "--url", endpoint.url, "--format", "json")
    assert result.code == 6
    assert endpoint.bodies == []
    assert "missing.json" in json.loads(result.out)["error"]["message"]


def test_an_input_that_breaks_off_is_exit_6_and_what_was_there_is_sent(payloads: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl.gz"
    packed = subprocess.run(["gzip", "-c", str(payloads)], check=True, capture_output=True).stdout
    torn.write_bytes(packed[:-10])
    with serving(Endpoint()) as endpoint:
        result = send(payloads, torn, "--url", endpoint.url, "--format", "json")
    assert result.code == 6
    assert result.summary["delivered"] == len(endpoint.events) >= 100


def test_faults_are_survived_and_ambiguous_events_are_listed(payloads: Path) -> None:
    says: dict[int, Say] = {0: 503, 2: "reset"}
    with serving(Endpoint(say=lambda number, _: says.get(number, 200))) as endpoint:
        result = send(payloads, "--url", endpoint.url, "--format", "json", "--concurrency", 1)
    assert result.code == 0
    assert {event["id"] for event in endpoint.events} == {
        f"{prefix}{number}" for prefix in "abcd" for number in range(25)
    }
    assert result.summary["delivered"] == 100
    assert result.summary["retries"] == 2
    assert result.summary["requests_by_status"] == {"200": 4, "503": 1, "connection_lost": 1}
    assert result.summary["unknown"] == [f"b{number}" for number in range(25)]


def test_a_timeout_is_ambiguous_and_retried(tmp_path: Path) -> None:
    file = write(tmp_path / "p.json", *events(2))
    with serving(Endpoint(say=lambda number, _: "hang" if number == 0 else 200)) as endpoint:
        result = send(file, "--url", endpoint.url, "--timeout", "0.3", "--format", "json")
    assert result.code == 0
    assert result.summary["unknown"] == ["e0", "e1"]


def test_requests_run_at_once(payloads: Path) -> None:
    with serving(Endpoint(delay=0.5)) as endpoint:
        result = send(payloads, "--url", endpoint.url, "--batch-events", 5, "--concurrency", 20, "--format", "json")
    assert result.code == 0
    assert len(endpoint.bodies) == 20
    assert result.summary["seconds"] < 10


def test_a_dry_run_sends_nothing_and_needs_no_key(payloads: Path) -> None:
    with serving(Endpoint()) as endpoint:
        result = send(payloads, "--url", endpoint.url, "-n", "--format", "json", TD_WRITE_KEY="")
        text = send(payloads, "--site", "us01", "--database", "my_db", "--table", "my_table", "-n", TD_WRITE_KEY="")
    assert (result.code, text.code, endpoint.bodies) == (0, 0, [])
    summary = json.loads(result.out)["summary"]
    assert (summary["read"], summary["requests"], summary["delivered"]) == (100, 4, 0)
    assert summary["bytes"] == sum(map(len, payloads.read_bytes().splitlines()))
    assert f"https://us01.records.in.treasuredata.com{PATH}" in text.out


def test_another_endpoint_gets_the_token_and_not_the_key(payloads: Path) -> None:
    with serving(Endpoint()) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/v1/task/x"
        result = send(payloads, "--url", url, TDCUR_TOKEN="abc")  # noqa: S106 -- opens nothing
    assert result.code == 0
    assert "authorization: bearer abc" in endpoint.heads[0].lower()
    assert HEX not in "".join(endpoint.heads)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_cleanly_with_the_figures(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    file = write(tmp_path / "p.jsonl", *({"events": events(2, f"{number}-")} for number in range(400)))
    with serving(Endpoint(delay=0.3)) as endpoint:
        process = start(file, "--url", endpoint.url, "--concurrency", 4, "--format", "json")
        for _ in range(6):
            assert endpoint.arrived.acquire(timeout=30)
        process.send_signal(sent)
        result = end(process)
    assert result.code == code
    assert result.summary["delivered"] == len(endpoint.events)
    assert result.summary["undelivered"] > 0
    assert result.summary["unknown"] == []
    assert json.loads(result.out)["error"]["message"]


def test_a_second_signal_ends_at_once_and_lists_ambiguous_events(tmp_path: Path) -> None:
    file = write(tmp_path / "p.jsonl", *events(2))
    with serving(Endpoint(say=lambda *_: "hang")) as endpoint:
        process = start(file, "--url", endpoint.url, "--format", "json")
        assert endpoint.arrived.acquire(timeout=30)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        result = end(process)
    assert time.monotonic() - begun < 20
    assert result.code == 130
    assert result.summary["unknown"] == ["e0", "e1"]
    assert result.summary["requests_by_status"] == {"interrupted": 1}


def test_a_signal_while_standard_input_is_silent() -> None:
    # More than the reader takes at once, and then nothing.
    text = json.dumps({"events": events(100)}) + "\n"
    with serving(Endpoint()) as endpoint:
        process = start("-", "--url", endpoint.url, "--format", "json", stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(text * (2_000_000 // len(text)))
        process.stdin.flush()
        assert endpoint.arrived.acquire(timeout=30)
        process.send_signal(signal.SIGTERM)
        # Standard input stays open all the while.
        assert process.wait(timeout=20) == 143
        result = end(process)
    assert result.summary["delivered"] == len(endpoint.events) > 0


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
    bodies, said = [], []
    for name in ("file", "pipe"):
        with serving(Endpoint()) as endpoint, large.open() as text:
            file, stdin = (large, subprocess.DEVNULL) if name == "file" else ("-", text.fileno())
            options = ("--concurrency", 1, "--journal", tmp_path / name, "--format", "json")
            process = start(file, "--url", endpoint.url, *options, stdin=stdin)
            result = end(process)
        assert result.code == 3
        assert is_gone(process.pid)
        changing = {"seconds", "latency_ms", "endpoint", "journal", "dead_letter"}
        said.append({name: value for name, value in result.summary.items() if name not in changing})
        bodies.append(endpoint.bodies)
    assert bodies[0] == bodies[1]
    assert said[0] == said[1]
    assert said[0]["dead"] == 30
    letters = [(tmp_path / f"{name}.dead-letter.jsonl").read_text().splitlines() for name in ("file", "pipe")]
    events_of = [[json.loads(line)["event"] for line in lines] for lines in letters]
    assert events_of[0] == events_of[1]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_after_a_signal_the_same_command_sends_the_rest_of_a_large_file(
    large: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    options = (large, "--concurrency", 2, "--journal", tmp_path / "journal", "--format", "json")
    with serving(Endpoint(delay=0.1)) as endpoint:
        process = start(*options, "--url", endpoint.url)
        for _ in range(4):
            assert endpoint.arrived.acquire(timeout=30)
        if code < 0:
            process.kill()
        else:
            os.killpg(process.pid, sent)
        assert process.wait(timeout=20) == code
        assert is_gone(process.pid)
        end(process)
        endpoint.delay = 0.0
        result = send(*options, "--url", endpoint.url)
    assert (result.code, result.summary["dead"]) == (3, 30)
    wanted = {event["id"] for number in range(30) for event in events(2, f"{number}+")}
    assert {event["id"] for event in endpoint.events} == wanted


def test_two_runs_at_once_send_each_event_once(payloads: Path) -> None:
    with serving(Endpoint(is_held=True)) as endpoint:
        first = start(payloads, "--url", endpoint.url, "--concurrency", 1, "--format", "json")
        assert endpoint.arrived.acquire(timeout=30)
        second = send(payloads, "--url", endpoint.url, "--format", "json")
        endpoint.is_held = False
        ended = end(first)
        third = send(payloads, "--url", endpoint.url, "--format", "json")
    assert (ended.code, second.code, third.code) == (0, 6, 0)
    error = json.loads(second.out)["error"]
    assert "another run" in error["message"]
    assert "--journal" in error["hint"]
    assert third.summary["already_delivered"] == 100
    assert len(endpoint.bodies) == 4


def test_after_kill_9_the_same_command_sends_the_rest(tmp_path: Path) -> None:
    file = write(tmp_path / "p.jsonl", *({"events": events(1, f"{number}-")} for number in range(400)))
    with serving(Endpoint(delay=0.01)) as endpoint:
        process = start(file, "--url", endpoint.url, "--concurrency", 4)
        for _ in range(200):
            assert endpoint.arrived.acquire(timeout=30)
        process.kill()
        process.communicate()
        result = send(file, "--url", endpoint.url, "--format", "json")
    assert result.code == 0
    assert result.summary["already_delivered"] >= 200 - 4 - GROUP
    assert {event["id"] for event in endpoint.events} == {f"{number}-0" for number in range(400)}


def test_a_resumable_end_says_how_to_resume(payloads: Path) -> None:
    with serving(Endpoint(say=lambda *_: 503)) as endpoint:
        options = (payloads, "--url", endpoint.url, "--retry-for", "100ms")
        result, text = send(*options, "--format", "json"), send(*options)
        blank = send(*options, "--no-journal")
    assert "Run the same command again to resume" in json.loads(result.out)["resume"]
    assert "Run the same command again to resume" in text.err
    assert "sends everything again" in blank.err


def test_events_that_break_the_rules_are_sent_only_when_asked(tmp_path: Path) -> None:
    good, bad = events(2)
    del bad["time"]
    file = write(tmp_path / "p.jsonl", {"events": [good, bad]})
    dead = tmp_path / "dead.jsonl"
    with serving(Endpoint()) as endpoint:
        result = send(file, "--url", endpoint.url, "--dead-letter", dead, "--format", "json")
        assert result.code == 3
        assert result.summary["requests"] == result.summary["dead"] == 1
        assert json.loads(result.out)["dead_letter"] == str(dead)
        (letter,) = [json.loads(line) for line in dead.read_text().splitlines()]
        assert letter["event"] == bad
        assert letter["reason"].startswith("TDC106 ")
        assert send(dead, "--url", endpoint.url).code == 3
        assert send(dead, "--url", endpoint.url, "--no-check").code == 0
        assert send(file, "--url", endpoint.url).code == 0
    assert endpoint.events == [good, bad]
