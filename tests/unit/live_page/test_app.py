"""The page and its JSON over a real socket: who gets them, and with which headers."""

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.live_page import app
from td_currents_cli.live_page.app import is_own_host
from tests.serving import BODY, PATH, Served, Start

ALL = "0.0.0.0"  # noqa: S104 -- tested
PATHS = ("/", "/api/summary", "/api/payloads/1", "/assets/serve.js", "/assets/serve.css")


@pytest.mark.parametrize("path", PATHS)
def test_the_headers(start: Start, path: str) -> None:
    """No other origin may read it, frame it, or run anything in it; nothing is cached."""
    endpoint = start()
    endpoint.ask()
    answer = endpoint.get(path)
    assert answer.status == 200
    policy = dict(each.strip().partition(" ")[::2] for each in answer.headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["frame-ancestors"], policy["require-trusted-types-for"]) == ("'none'", "'script'")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8888", "localhost.evil.example", ""])
def test_another_host_gets_nothing(start: Start, host: str) -> None:
    """The page of another site that had its name point to this machine (DNS rebinding) reads nothing."""
    endpoint = start()
    # A sender may use any name.
    assert endpoint.ask(headers={"Host": host, "X-TD-Write-Key": "k"}).status == 200
    for path in PATHS:
        answer = endpoint.ask(b"", method="GET", path=path, headers={"Host": host})
        assert (answer.status, answer.headers["content-type"]) == (403, "text/plain; charset=utf-8")
        assert b"answers only under the names of this machine" in answer.body


@pytest.mark.parametrize(
    ("host", "listens_on", "expected"),
    [
        ("localhost", "127.0.0.1", True),
        ("LOCALHOST.:8888", "127.0.0.1", True),
        ("127.0.0.1:1", "127.0.0.1", True),
        ("127.9.9.9", "127.0.0.1", True),
        ("[::1]:8888", "::1", True),
        ("192.0.2.7:8888", "127.0.0.1", False),
        ("192.0.2.7:8888", "192.0.2.7", True),
        ("192.0.2.7", ALL, True),
        ("192.0.2.8", ALL, False),
        ("build-box:8888", "Build-Box", True),
        ("build-box.evil.example", "build-box", False),
        (ALL, "127.0.0.1", False),
        ("localhost, evil.example", "127.0.0.1", False),
        ("localhost@evil.example", "127.0.0.1", False),
        ("evil.example#localhost", "127.0.0.1", False),
        ("[::1", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("", "", False),
    ],
)
def test_own_hosts(host: str, listens_on: str, expected: bool) -> None:
    """Loopback, what `--host` says, and with all addresses the one at which the request arrived: 192.0.2.7 here."""
    scope = {"headers": [(b"host", host.encode())], "server": ("192.0.2.7", 8888)}
    assert is_own_host(scope, listens_on) == expected


def test_two_hosts_are_none() -> None:
    scope = {"headers": [(b"host", b"localhost"), (b"host", b"localhost")], "server": ("127.0.0.1", 1)}
    assert not is_own_host(scope, "127.0.0.1")


def test_looking_is_not_sending(start: Start) -> None:
    """What is read of the page is not counted, not logged, and gets no fault."""
    endpoint = start("503=1")
    for path in (*PATHS, "/favicon.ico"):
        assert endpoint.get(path).status in {200, 204, 404}
    assert (endpoint.stats.requests, endpoint.heard) == (0, [])
    assert endpoint.ask().status == 503
    assert endpoint.json("/api/summary")["totals"]["faults"] == {"503": 1}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("PUT", "/api/summary"), ("GET", "/api"), ("OPTIONS", "/"), ("GET", "/assets/")]
)
def test_what_is_not_the_page_is_as_without_it(start: Start, method: str, path: str) -> None:
    answer = start().ask(method=method, path=path)
    assert (answer.status, "unknown path" in answer.body.decode()) == (404, True)


def test_the_summary(start: Start) -> None:
    """Counts, reasons, and the latest payloads, as documented; no write key is in it."""
    endpoint = start(write_key="1/right")
    body = json.dumps({"events": [{"event_type": "a"}, {"event_type": "b"}, {"event_type": "a"}]})
    endpoint.ask(body, headers={"X-TD-Write-Key": "1/right"})
    endpoint.ask(body, headers={"X-TD-Write-Key": "1/4ea8wrong"})
    endpoint.ask(b"{", headers={"X-TD-Write-Key": "1/right"})
    endpoint.ask(method="GET")
    found = endpoint.json("/api/summary")
    assert found["event_types"] == [{"event_type": "a", "events": 2}, {"event_type": "b", "events": 1}]
    assert (found["totals"]["requests"], found["totals"]["events"], found["masked"]) == (4, 3, True)
    assert sum(found["last_minutes"]["events"]) == sum(found["last_hours"]["events"]) == 3
    assert [(each["number"], each["status"], each["result"], each["reason"]) for each in found["requests"]] == [
        (4, 405, "refused", "only POST is allowed"),
        (3, 400, "refused", "the body is not JSON"),
        (2, 200, "wrong_key", ""),
        (1, 200, "stored", ""),
    ]
    assert [each["number"] for each in found["not_stored"]] == [4, 3, 2]
    assert [each["number"] for each in found["payloads"]] == [3, 2, 1]
    assert "4ea8" not in json.dumps(found)


def test_the_static_page_has_the_numbers_of_the_summary(start: Start) -> None:
    """For browsers without JavaScript."""
    endpoint = start()
    for number in range(3):
        endpoint.ask(json.dumps({"events": [{"event_type": f"type.{each}"} for each in range(number + 1)] * 1500}))
    endpoint.ask(b"{")
    page, summary = endpoint.get("/").body.decode(), endpoint.json("/api/summary")
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in rows]
    counts = {row[0]: row[2] for row in cells if row[0].startswith("type.")}
    assert counts == {each["event_type"]: f"{each['events']:,}" for each in summary["event_types"]}
    assert [row[4] for row in cells if row[:1] == ["4"] and len(row) == 5] == ["rejected: the body is not JSON"] * 2
    figures = re.findall(r"<dd>(.*?)</dd>", page)
    totals = summary["totals"]
    assert figures == [f"{totals[name]:,}" for name in ("events", "stored", "requests", "not_stored")]


def test_a_payload(start: Start) -> None:
    endpoint = start()
    endpoint.ask(b'{"events":[{"event_type":"a","email":"ada@example.com"}]}')
    found = endpoint.json("/api/payloads/1")
    assert found["request"]["number"] == 1
    assert found["tree"]["children"][0]["children"][0]["label"] == "a"
    assert found["errors"] == sum(each["severity"] == "error" for each in found["problems"]) > 0
    assert "ada@" not in json.dumps(found)
    for unknown in ("2", "0", "999999999999999"):
        answer = endpoint.get(f"/api/payloads/{unknown}")
        assert (answer.status, json.loads(answer.body)) == (
            404,
            {"error": "no payload of this number, or it is no longer kept"},
        )


def test_personal_data_if_asked(start: Start) -> None:
    endpoint = start(watched="unmasked")
    endpoint.ask(b'{"events":[{"event_type":"a","email":"ada@example.com"}]}')
    assert b"ada@example.com" in endpoint.get("/api/payloads/1").body


@contextmanager
def reading(endpoint: Served) -> Iterator[Iterator[Any]]:
    """The summaries of the stream."""
    with closing(http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)) as connection:
        connection.request("GET", "/api/stream")
        response = connection.getresponse()
        assert (response.status, response.headers["content-type"]) == (200, "text/event-stream")
        yield (json.loads(line[6:]) for line in iter(response.readline, b"") if line.startswith(b"data: "))


def test_the_stream(start: Start) -> None:
    """A summary at once, and one after each change; the latest payloads are checked while someone reads."""
    endpoint = start()
    with reading(endpoint) as summaries:
        assert next(summaries)["totals"]["requests"] == 0
        endpoint.ask()
        found = next(each for each in summaries if each["payloads"] and each["payloads"][0]["errors"] is not None)
        assert (found["totals"]["requests"], found["payloads"][0]["errors"]) == (1, 4)


def test_stopping_does_not_wait_for_readers(tmp_path: Path) -> None:
    with ExitStack() as readers:
        with Served(tmp_path / "rows.jsonl", watched="masked") as endpoint:
            summaries = readers.enter_context(reading(endpoint))
            next(summaries)
            began = time.monotonic()
        assert time.monotonic() - began < endpoint.settings.stop_within / 2
        assert list(summaries) == []


def test_readers_are_bounded(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that goes away makes room for another."""
    monkeypatch.setattr(app, "MAX_READERS", 1)
    endpoint = start()
    with reading(endpoint) as summaries:
        next(summaries)
        assert endpoint.get("/api/stream").status == 503
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with closing(http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)) as connection:
            connection.request("GET", "/api/stream")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.05)
    pytest.fail("no room")


def test_head(start: Start) -> None:
    endpoint = start()
    for path in ("/", "/api/summary", "/api/stream"):
        answer = endpoint.ask(b"", method="HEAD", path=path, headers={"Host": "localhost"})
        assert (answer.status, answer.body) == (200, b"")
    assert endpoint.ask(BODY, path=PATH).status == 200
