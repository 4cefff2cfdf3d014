"""The endpoint over a real socket: every answer, and what is stored of it."""

import gzip
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.serve import PostbackApi, Receiver, RequestLog, RequestResult, ServeSettings

KEY = {"X-TD-Write-Key": "1/key"}
PATH = "/postback/v3/event/braze/currents"
BODY = b'{"events":[{"id":"a"}]}'
V2_LIMIT = 1_048_064

Start = Callable[..., Receiver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(listener: Callable[[RequestLog], None] = lambda _: None, **settings: Any) -> Receiver:
            settings = {"store": tmp_path / "rows.jsonl", **settings}
            return stack.enter_context(Receiver(ServeSettings(**settings), listener))

        yield started


def ask(
    receiver: Receiver, body: Any = BODY, *, method: str = "POST", path: str = PATH, headers: dict[str, str] = KEY
) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(receiver.host, receiver.port, timeout=20)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_body_is_a_row(start: Start) -> None:
    """Success is `200` with `{}` as JSON, and the row is in the store by then."""
    receiver = start()
    with closing(http.client.HTTPConnection(receiver.host, receiver.port, timeout=20)) as connection:
        connection.request("POST", urlsplit(receiver.url("braze", "currents")).path, BODY, KEY)
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.headers["content-type"]) == (200, b"{}", "application/json")
        assert receiver.store.read_bytes().endswith(b',"events":"[{\\"id\\":\\"a\\"}]"}\n')
    assert (receiver.stats.requests, receiver.stats.stored, receiver.stats.events) == (1, 1, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/postback/v3/event/abc/a_1", 200),
        (f"/postback/v3/event/{'a' * 128}/abc", 200),
        ("/postback/v3/event/ab/abc", 400),
        ("/postback/v3/event/abc/ab", 400),
        (f"/postback/v3/event/{'a' * 129}/abc", 400),
        ("/postback/v3/event/Braze/abc", 400),
        ("/postback/v3/event/abc/a-b", 400),
        ("/postback/v3/event/abc/caf%C3%A9", 400),
        ("/postback/v3/event/abc/abc%0A", 400),
        ("/postback/v3/event/abc/abc/", 404),
        ("/postback/v3/event/abc", 404),
        ("/postback/v2/event/abc/abc", 404),
        ("/", 404),
    ],
)
def test_names(start: Start, path: str, status: int) -> None:
    """Database and table are 3 to 128 lower-case letters, digits and `_`; any other path is unknown."""
    receiver = start()
    assert ask(receiver, path=path)[0] == status
    assert receiver.stats.stored == (status == 200)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_other_methods(start: Start, method: str) -> None:
    heard: list[RequestLog] = []
    receiver = start(heard.append)
    assert ask(receiver, method=method)[0] == 405
    assert receiver.store.read_bytes() == b""
    assert [(each.method, each.target, each.reason) for each in heard] == [(method, PATH, "only POST is allowed")]


@pytest.mark.parametrize(("size", "status"), [(V2_LIMIT, 200), (V2_LIMIT + 1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_limit_of_v2(start: Start, size: int, status: int, chunked: bool) -> None:
    """1,048,064 bytes are taken, one more is 413, whether its length is told beforehand or not."""
    receiver = start()
    body = b'{"events":["' + b"x" * (size - 15) + b'"]}'
    assert len(body) == size
    assert ask(receiver, iter([body[:100], body[100:]]) if chunked else body)[0] == status
    assert receiver.stats.stored == (status == 200)


def test_v1_has_no_documented_limit(start: Start) -> None:
    """What v2 refuses for its size, v1 takes."""
    receiver = start(api=PostbackApi.v1)
    assert ask(receiver, b'{"events":["' + b"x" * (3 * V2_LIMIT) + b'"]}')[0] == 200


def test_a_sender_that_waits_for_100_is_answered_at_once(start: Start) -> None:
    """A body over the limit is refused before it is sent, and the connection does not wait for it."""
    receiver = start()
    with socket.create_connection((receiver.host, receiver.port), timeout=20) as sender:
        sender.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-TD-Write-Key: k\r\nExpect: 100-continue\r\n"
            f"Content-Length: {V2_LIMIT + 1}\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: sender.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_refused_body_does_not_end_the_connection(start: Start) -> None:
    """The next request on the same connection is read as itself, not as the rest of a refused body."""
    receiver = start()
    with closing(http.client.HTTPConnection(receiver.host, receiver.port, timeout=20)) as connection:
        for headers, status in (({}, 403), (KEY, 413), (KEY, 200)):
            connection.request("POST", PATH, BODY if status == 200 else b"x" * (2 * V2_LIMIT), headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status


def test_answers_are_not_held_back(start: Start) -> None:
    """An answer never waits for the sender's delayed acknowledgement, which would take 40 ms each time."""
    receiver = start()
    with closing(http.client.HTTPConnection(receiver.host, receiver.port, timeout=20)) as connection:
        took = []
        for _ in range(60):
            began = time.monotonic()
            connection.request("POST", PATH, BODY, KEY)
            connection.getresponse().read()
            took.append(time.monotonic() - began)
    # A sender acknowledges the first few at once. Of the others, all would wait: one that did not is proof enough.
    assert min(took[30:]) < 0.03


def test_not_a_json_object(start: Start) -> None:
    assert ask(start(), b"[]") == (400, b'{"error":"the body is not a JSON object"}')


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (gzip.compress(BODY, mtime=0), {"Content-Encoding": "gzip"}, "is compressed with gzip: Content-Encoding gzip"),
        (gzip.compress(BODY, mtime=0), {}, "is compressed with gzip"),
        (b"\x8b\x00", {"Content-Encoding": "br"}, "is not UTF-8: Content-Encoding br is not supported"),
        (b"\x8b\x00", {"Content-Encoding": "\t1/x, gzip"}, "is not UTF-8: Content-Encoding of another kind is not"),
        (b"\xef\xbb\xbf" + BODY, {}, "starts with a byte order mark (BOM)"),
        (BODY.decode().encode("utf-16"), {}, "is UTF-16, not UTF-8"),
    ],
)
def test_a_body_in_an_encoding(start: Start, body: bytes, headers: dict[str, str], reason: str) -> None:
    """The response and the log name what the sender did to the body."""
    heard: list[RequestLog] = []
    status, answer = ask(start(heard.append), body, headers=KEY | headers)
    assert status == 400
    assert f"the body {reason}".encode() in answer
    assert f"the body {reason}" in heard[0].reason


def raw(receiver: Receiver, sent: bytes) -> bytes:
    """Send bytes, and return all that comes back until the connection is closed."""
    with socket.create_connection((receiver.host, receiver.port), timeout=20) as sender:
        sender.sendall(sent)
        return b"".join(iter(lambda: sender.recv(4096), b""))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_target_in_absolute_form(start: Start, scheme: str) -> None:
    """As a sender writes it that takes the endpoint for its proxy."""
    heard: list[RequestLog] = []
    head = f"POST {scheme}://x:1{PATH} HTTP/1.1\r\nHost: x\r\nX-TD-Write-Key: k\r\nConnection: close\r\n"
    answer = raw(start(heard.append), f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert [(each.target, each.result) for each in heard] == [(PATH, RequestResult.STORED)]


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"hello\r\n\r\n", 400, "malformed HTTP"),
        (b"POST /%s HTTP/1.1\r\n\r\n" % PATH.encode(), 400, "malformed HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "not HTTP but TLS: use http://, not https://"),
        (b"POST / HTTP/1.1\r\nHost: x", 408, "no complete headers within 0.2 s"),
    ],
)
def test_what_is_not_a_request(start: Start, sent: bytes, status: int, reason: str) -> None:
    """A line in the log tells why there is no row; later requests are not affected."""
    heard: list[RequestLog] = []
    receiver = start(heard.append, headers_within=0.2)
    assert raw(receiver, sent).startswith(b"HTTP/1.1 %d " % status)
    assert [(each.status, each.result, each.reason) for each in heard] == [(status, RequestResult.REFUSED, reason)]
    assert ask(receiver)[0] == 200


def test_a_silent_connection_is_closed(start: Start) -> None:
    """Without a line in the log: browsers open connections ahead. One that is used stays open between requests."""
    receiver = start(headers_within=0.2)
    assert raw(receiver, b"") == b""
    assert receiver.stats.requests == 0
    with closing(http.client.HTTPConnection(receiver.host, receiver.port, timeout=20)) as connection:
        for _ in range(2):
            connection.request("POST", PATH, BODY, KEY)
            assert connection.getresponse().read() == b"{}"
            time.sleep(0.4)


@pytest.mark.parametrize(("key", "stored"), [("1/key", 1), ("1/other", 0), ("1/ke", 0), ("1/kéy", 0)])
@pytest.mark.parametrize("body", [BODY, b'{"events":[]}', b""])
def test_a_wrong_key_is_answered_as_a_right_one(start: Start, key: str, stored: int, body: bytes) -> None:
    """A wrong key gives 200 and `{}`, as Treasure Data does, and no row."""
    receiver = start(write_key="1/key")
    assert ask(receiver, body, headers={"X-TD-Write-Key": key}) == (200, b"{}")
    assert receiver.stats.stored == (stored if body == BODY else 0)
    assert receiver.stats.by_result[RequestResult.WRONG_KEY] == 1 - stored


def test_each_request_is_told(start: Start) -> None:
    """The listener hears of every request, in order, with nothing secret in it."""
    heard: list[RequestLog] = []
    receiver = start(heard.append, write_key="1/key", api=PostbackApi.v1)
    ask(receiver)
    ask(receiver, path=f"{PATH}?td_write_key=1%2Fsecret", headers={})
    ask(receiver, b"")
    ask(receiver, headers={})
    ask(receiver, path="/" + "x" * 1000)
    told = [(each.method, each.target, each.status, each.size, each.events, each.result) for each in heard]
    assert told == [
        ("POST", PATH, 200, 23, 1, RequestResult.STORED),
        ("POST", f"{PATH}?td_write_key=***", 200, 23, None, RequestResult.WRONG_KEY),
        ("POST", PATH, 200, 0, None, RequestResult.CONNECTION_TEST),
        ("POST", PATH, 403, 23, None, RequestResult.REFUSED),
        ("POST", "/" + "x" * 299 + "…", 404, 23, None, RequestResult.REFUSED),
    ]
    stats = receiver.stats
    assert (stats.requests, stats.stored, stats.not_stored, stats.bytes) == (5, 1, 4, 92)
    assert stats.by_status == {200: 3, 403: 1, 404: 1}


def test_a_sender_that_goes_away(start: Start) -> None:
    heard = threading.Event()
    receiver = start(lambda _exchange: heard.set())
    with socket.create_connection((receiver.host, receiver.port)) as sender:
        sender.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-TD-Write-Key: k\r\nContent-Length: 99\r\n\r\n{{".encode())
    assert heard.wait(20)
    assert receiver.stats.by_result == {RequestResult.ABORTED: 1}
    assert receiver.store.read_bytes() == b""


def test_a_row_that_cannot_be_written(start: Start) -> None:
    receiver = start(store=Path("/dev/full"))
    for _ in range(2):
        assert ask(receiver) == (500, b'{"error":"cannot write the store: No space left on device"}')
    assert receiver.stats.by_result == {RequestResult.FAILED: 2}


def test_stopping_waits_for_requests_in_flight(tmp_path: Path) -> None:
    """A request that has begun when the receiver stops is stored and answered."""
    receiver = Receiver(ServeSettings(store=tmp_path / "rows.jsonl"))
    with socket.socket() as sender:
        with receiver:
            sender.connect((receiver.host, receiver.port))
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-TD-Write-Key: k\r\nContent-Length: {len(BODY)}\r\n\r\n"
            sender.sendall(head.encode() + BODY[:5])
            ask(receiver)
            rest = threading.Timer(0.5, sender.sendall, (BODY[5:],))
            rest.start()
        rest.join()
        assert sender.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert receiver.stats.stored == 2


def test_stopping_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A sender that never ends its request is left after `stop_within` seconds."""
    receiver = Receiver(ServeSettings(store=tmp_path / "rows.jsonl", stop_within=1))
    with socket.socket() as sender:
        with receiver:
            sender.connect((receiver.host, receiver.port))
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-TD-Write-Key: k\r\nContent-Length: 9\r\n\r\n"
            sender.sendall(head.encode())
            ask(receiver)
            began = time.monotonic()
        assert 1 <= time.monotonic() - began < 20
    assert receiver.stats.stored == 1
    assert not receiver.running


def test_ipv6(start: Start) -> None:
    try:
        receiver = start(host="::1")
    except UsageError:
        pytest.skip("no IPv6 here")
    assert receiver.url("db1", "table").startswith(f"http://[::1]:{receiver.port}/")
    assert not receiver.is_public
    assert ask(receiver)[0] == 200


def test_a_public_address_is_known_as_one(start: Start) -> None:
    """Whoever listens on all addresses gets a URL that works here, and can be warned."""
    receiver = start(host="0.0.0.0")  # noqa: S104 -- this is what is tested
    assert receiver.is_public
    assert receiver.url("db1", "table").startswith(f"http://localhost:{receiver.port}/")


@pytest.mark.parametrize(("host", "message"), [("no such host", "unknown host"), ("192.0.2.1", "assign requested")])
def test_a_host_that_is_not_here(tmp_path: Path, host: str, message: str) -> None:
    """A host that cannot be listened on is wrong usage, and no store is begun for it."""
    with pytest.raises(UsageError, match=message), Receiver(ServeSettings(store=tmp_path / "rows.jsonl", host=host)):
        pass
    assert not (tmp_path / "rows.jsonl").exists()
