"""`tdcur serve` as its user meets it: a process, its log, its end."""

import http.client
import json
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.command import PLAIN, TDCUR, tdcur_text
from tests.serving import PATH, head

BODY = b'{"events":[{"id":"a"},{"id":"b"}]}'
RIGHT, WRONG = "1/4ea8secretright", "1/4ea8secretwrong"


@dataclass
class Served:
    process: "subprocess.Popen[str]"
    port: int
    said: str

    def post(self, body: bytes = BODY, key: str = RIGHT, path: str = PATH) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("POST", path, body, {"Authorization": f"TD1 {key}"})
            return connection.getresponse().status

    def opened(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit code, standard output, and the rest of standard error."""
        self.process.send_signal(number)
        # Not communicate(): it would leave out what readline() has already taken from the pipe.
        code = self.process.wait(30)
        out, err = ("" if file is None else file.read() for file in (self.process.stdout, self.process.stderr))
        return code, out, err

    def stop_while_busy(self, number: signal.Signals) -> None:
        """Send a signal; a request in flight holds up the end."""
        self.process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            self.process.wait(0.7)


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts `tdcur serve` in `tmp_path` with a key file, and waits until it listens."""
    (tmp_path / "key").write_text(RIGHT + "\n")
    with ExitStack() as stack:

        def started(*options: str, key: bool = True, **popen: Any) -> Served:
            keys = ["--write-key-file", "key"] if key else []
            process = stack.enter_context(
                subprocess.Popen(
                    [*TDCUR, "serve", "--port", "0", *keys, *options],
                    cwd=tmp_path,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    **popen,
                )
            )
            stack.callback(process.kill)
            assert process.stderr is not None
            said = ""
            while "\n  tdcur count " not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            port = re.search(r"http://127\.0\.0\.1:(\d+)/postback/v3/event/DATABASE/TABLE\n", said)
            assert port, said
            return Served(process, int(port.group(1)), said)

        yield started


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_from_start_to_stop(serve: Serve, tmp_path: Path, number: signal.Signals, code: int) -> None:
    served = serve("--store", "rows.jsonl")
    assert [served.post(), served.post(key=WRONG), served.post(b"[]"), served.post(path="/")] == [200, 200, 400, 404]
    exit_code, out, err = served.stop(number)
    assert exit_code == code
    assert out == (
        "4 requests, 104 bytes; 1 row stored in rows.jsonl (2 events), 3 not stored"
        " (1 with a wrong write key, 2 rejected)\n"
    )
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in err.splitlines()]
    assert lines == [
        f"POST {PATH} 200 34 B, 2 events, stored",
        f"POST {PATH} 200 34 B, not stored: wrong write key",
        f"POST {PATH} 400 2 B, rejected: the body is not a JSON object",
        "POST / 404 34 B, rejected: unknown path: use POST /postback/v3/event/DATABASE/TABLE",
    ]
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [(sorted(row), row["events"]) for row in rows] == [(["events", "time"], '[{"id":"a"},{"id":"b"}]')]
    assert "secret" not in served.said + out + err


@pytest.mark.parametrize("shown", [False, True])
def test_the_page(serve: Serve, shown: bool) -> None:
    """At the address that it prints: personal data only if asked, the write key never, and stopping does not wait."""
    served = serve("--store", "/dev/null", *["--show-personal-data"] * shown)
    served.post(b'{"events":[{"event_type":"users.a.B","email":"ada@example.com"}]}')
    found = re.search(r"^  page    (http://127\.0\.0\.1:\d+/)$", served.said, re.MULTILINE)
    assert found
    address = found.group(1)
    with urlopen(address) as page, urlopen(f"{address}api/payloads/1") as payload:  # noqa: S310 -- an endpoint of ours
        texts = page.read().decode() + payload.read().decode()
    assert ("users.a.B" in texts, "ada@example.com" in texts, "secret" in texts) == (True, shown, False)
    with urlopen(f"{address}api/stream") as stream:  # noqa: S310 -- as above
        assert stream.readline() == b"event: summary\n"
        code, out, err = served.stop()
    assert (code, out.partition(";")[0], len(err.splitlines())) == (143, "1 request, 65 bytes", 1)


@pytest.mark.parametrize("key", [True, False])
def test_the_commands_that_it_prints_work_as_they_are(serve: Serve, tmp_path: Path, key: bool) -> None:
    """In another folder, with a store whose name the shell must not split, and without showing the key."""
    served = serve("--store", "the rows.jsonl", key=key, env=PLAIN | {"COLUMNS": "40", "TD_WRITE_KEY": ""})
    commands = [line.strip() for line in served.said.splitlines() if "  tdcur" in line or " tdcur send" in line]
    assert ("TD_WRITE_KEY=any " in commands[0], "--write-key-file" in commands[0]) == (not key, key)
    assert "secret" not in served.said
    folder = tmp_path / "elsewhere"
    shutil.copytree(Path(__file__).parents[2] / "sample_data" / "payloads", folder / "payloads")
    environment = PLAIN | {"PATH": f"{Path(TDCUR[0]).parent}:{PLAIN['PATH']}", "XDG_STATE_HOME": str(tmp_path)}
    ended = [
        subprocess.run(["bash", "-c", each], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        for each in commands
    ]
    assert [each.returncode for each in ended] == [0, 0, 0], ended
    assert len(ended[1].stdout.splitlines()) == 130


def test_out_of_file_descriptors(serve: Serve) -> None:
    """One line in the log; when there is room again, requests are served."""
    served = serve(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(served.opened())
        time.sleep(1.5)
    assert served.post() == 200
    code, _, err = served.stop()
    assert code == 143
    lines = [line for line in err.splitlines() if "POST" not in line]
    assert len(lines) == 1
    assert lines[0].endswith("cannot accept connections: too many open files (see ulimit -n)")


def test_v1_and_the_summary_as_json(serve: Serve, tmp_path: Path) -> None:
    """`--api v1`: a key in the URL counts, and is `***` in the log."""
    served = serve("--api", "v1", "--store", "rows.csv", "--format", "json")
    assert "Postback API v1" in served.said
    assert served.post(path=f"{PATH}?td_write_key={RIGHT.replace('/', '%2F')}") == 200
    served.post(b"", path=f"{PATH}?td_write_key={RIGHT}")
    exit_code, out, err = served.stop()
    assert f"{PATH}?td_write_key=*** 200 34 B, 2 events, stored\n" in err
    assert "secret" not in out + err
    header, row = (tmp_path / "rows.csv").read_text().splitlines()
    assert header == "time,events,extra"
    assert row.endswith(',"[{""id"":""a""},{""id"":""b""}]",')
    envelope = json.loads(out)
    assert (envelope["command"], envelope["exit_code"], exit_code) == ("serve", 143, 143)
    others = ("wrong_key", "refused", "failed", "aborted", "fault")
    assert envelope["summary"] == {
        "requests": 2,
        "stored": 1,
        "not_stored": 1,
        "events": 2,
        "bytes": 34,
        "requests_by_result": {"stored": 1, "connection_test": 1, **dict.fromkeys(others, 0)},
        "requests_by_status": {"200": 2},
        "faults": {},
        "store": "rows.csv",
    }


def test_a_request_in_flight_is_finished(serve: Serve) -> None:
    served = serve()
    with served.opened() as sender:
        sender.sendall(head(len(BODY), key=RIGHT))
        served.post()
        served.stop_while_busy(signal.SIGTERM)
        sender.sendall(BODY)
        assert sender.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert served.process.wait(30) == 143
    assert served.process.stdout
    assert served.process.stdout.read().startswith("2 requests, 68 bytes; 2 rows stored")


def test_a_second_signal_ends_it_at_once(serve: Serve) -> None:
    served = serve()
    with served.opened() as sender:
        sender.sendall(head())
        served.post()
        served.stop_while_busy(signal.SIGINT)
        code, out, err = served.stop(signal.SIGINT)
    assert (code, out) == (130, "")
    assert "Traceback" not in err


def test_a_torn_row_is_told(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"time":1,"ev')
    served = serve()
    served.post()
    served.stop()
    assert served.said.startswith("warning: rows.jsonl ended with an incomplete row; new rows start after it\n")
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2


def test_a_full_disk(serve: Serve, tmp_path: Path) -> None:
    """Rows that do not fit are answered 500, none is half there, and the run ends with 6."""
    served = serve(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    assert [served.post(), served.post()] == [200, 500]
    exit_code, out, err = served.stop()
    assert exit_code == 6
    assert "1 could not be written" in out
    assert "500 34 B, not stored: cannot write the store: File too large\n" in err
    assert (tmp_path / "rows.jsonl").read_text().count("\n") == 1


def test_a_log_that_nobody_reads(serve: Serve) -> None:
    """`2>&1 | head` ends the log, not the endpoint."""
    served = serve()
    assert served.process.stderr is not None
    served.process.stderr.close()
    assert [served.post(), served.post()] == [200, 200]
    served.process.stderr = None
    assert served.stop()[1].startswith("2 requests, 68 bytes; 2 rows stored")


def test_misbehaviour(serve: Serve, tmp_path: Path) -> None:
    fail = "503=0.3,429=0.1,slow=0.2:10ms"
    served = serve("--fail", fail, "--seed", "3", "--latency", "1ms", "--max-rows", "2")
    asked = "503=0.3,429=0.1:1s,slow=0.2:0.01s (seed 3); responses delayed by 0.001 s; maximum 2 rows"
    assert f"\n  faults  {asked}\n" in served.said
    assert [served.post() for _ in range(6)] == [503, 200, 429, 200, 507, 503]
    _, out, err = served.stop()
    assert out == (
        "6 requests, 204 bytes; 2 rows stored in rows.jsonl (4 events),"
        " 4 not stored (1 rejected, 3 by injected faults); faults: 429: 1, 503: 2, slow: 1\n"
    )
    lines = [re.sub(r"^.* (?=\d{3} 34 B)", "", line) for line in err.splitlines()]
    assert lines == [
        "503 34 B, not stored: fault 503",
        "200 34 B, 2 events, stored, fault slow",
        "429 34 B, not stored: fault 429",
        "200 34 B, 2 events, stored",
        "507 34 B, rejected: the store is full: its maximum is 2 rows",
        "503 34 B, not stored: fault 503",
    ]
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2


def test_quiet() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    quiet = [*TDCUR, "serve", "--port", str(port), "--quiet", "--store", "/dev/null"]
    with subprocess.Popen(quiet, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # It listens before it handles signals, so that only a response tells that it runs.
        response = b""
        while process.poll() is None and not response:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as sender:
                sender.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                response = sender.recv(1000)
            time.sleep(0.05)
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (143, "")
    assert out.startswith("1 request, 0 bytes; 0 rows stored in /dev/null")


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = tdcur_text("serve", "--port", port, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use\nhint: Use --port 0 for any free port.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--store", "no/rows.jsonl"), 6, "cannot write no/rows.jsonl: No such file or directory"),
        (("--store", "."), 6, "cannot write .: Is a directory"),
        (("--store", "rows.parquet"), 2, "cannot store rows as .parquet: rows.parquet"),
        (("--write-key-file", "no"), 6, "cannot read the write key file no: No such file or directory"),
        (("--write-key-file", "/dev/null"), 2, "the write key file /dev/null does not contain one write key"),
        (("--fail", "503=0.1,x=1"), 2, "--fail, character 9: 'x' is not a fault"),
        (("--latency", "5"), 2, "--latency is not a duration"),
        (("--ingest-delay", "-1s"), 2, "--ingest-delay is not a duration"),
        (("--host", "192.0.2.1"), 2, "cannot listen on 192.0.2.1:0: Cannot assign requested address"),
    ],
)
def test_what_cannot_be_served(tmp_path: Path, options: tuple[str, ...], code: int, message: str) -> None:
    done = tdcur_text("serve", "--port", 0, "--format", "json", *options, cwd=tmp_path)
    assert done.returncode == code
    assert done.stderr.splitlines()[0] == f"error: {message}"
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["error"]["message"] == message
