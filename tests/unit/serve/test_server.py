"""The endpoint over a real socket: every answer, and what is stored of it."""

import gzip
import time
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.serve import PostbackApi, RequestResult
from tests.serving import BODY, KEY, PATH, Served, Start, ask, head

V2_LIMIT = 1_048_064


def test_a_body_is_a_row(start: Start) -> None:
    """Success is `200` with `{}` as JSON, and the row is in the store by then."""
    endpoint = start()
    assert endpoint.url("braze", "currents") == f"http://127.0.0.1:{endpoint.port}{PATH}"
    answer = endpoint.ask()
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"{}", "application/json")
    assert endpoint.store.read_bytes().endswith(b',"events":"[{\\"id\\":\\"a\\"}]"}\n')
    assert (endpoint.stats.requests, endpoint.stats.stored, endpoint.stats.events) == (1, 1, 1)


@pytest.mark.parametrize("path", ["abc/a_1", f"{'a' * 128}/abc"])
def test_names(start: Start, path: str) -> None:
    """Database and table are 3 to 128 lowercase letters, digits, and `_`."""
    assert start().ask(path=f"/postback/v3/event/{path}").status == 200


NO_NAME = "name: use 3 to 128 lowercase letters, digits, or underscores"
UNKNOWN = "unknown path: use POST /postback/v3/event/DATABASE/TABLE"
BAD_PATHS = {
    f"invalid database {NO_NAME}": ("v3/event/ab/abc", f"v3/event/{'a' * 129}/abc", "v3/event/Braze/abc"),
    f"invalid table {NO_NAME}": [f"v3/event/abc/{table}" for table in ("ab", "a-b", "caf%C3%A9", "abc%0A")],
    UNKNOWN: ("v3/event/abc/abc/", "v3/event/abc", "v2/event/abc/abc", ""),
}
GZIP = gzip.compress(BODY, mtime=0)


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        *(
            ({"path": f"/postback/{path}"}, 404 if reason == UNKNOWN else 400, reason)
            for reason, paths in BAD_PATHS.items()
            for path in paths
        ),
        *(({"method": each}, 405, "only POST is allowed") for each in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS")),
        ({"sent": b"[]"}, 400, "the body is not a JSON object"),
        ({"sent": GZIP}, 400, "the body is compressed with gzip"),
        ({"sent": b"\xef\xbb\xbf" + BODY}, 400, "the body starts with a byte order mark (BOM)"),
        ({"sent": BODY.decode().encode("utf-16")}, 400, "the body is UTF-16, not UTF-8"),
    ],
)
def test_what_is_refused(start: Start, sent: dict[str, Any], status: int, reason: str) -> None:
    """The response and the log give the reason, and nothing is stored."""
    endpoint = start()
    answer = endpoint.ask(**sent)
    method, path = sent.get("method", "POST"), sent.get("path", PATH)
    assert answer.status == status
    assert answer.body == (b"" if method == "HEAD" else b'{"error":"%b"}' % reason.encode())
    assert answer.headers["allow"] == ("POST" if status == 405 else None)
    assert [(each.method, each.target, each.reason) for each in endpoint.heard] == [(method, path, reason)]
    assert endpoint.store.read_bytes() == b""


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("gzip", GZIP, "is compressed with gzip: Content-Encoding gzip is not supported"),
        ("br", b"\x8b\x00", "is not UTF-8: Content-Encoding br is not supported"),
        ("\t1/x, gzip", b"\x8b\x00", "is not UTF-8: Content-Encoding of another kind is not supported"),
    ],
)
def test_a_content_coding_is_named(start: Start, coding: str, body: bytes, reason: str) -> None:
    answer = start().ask(body, headers=KEY | {"Content-Encoding": coding})
    assert answer[:2] == (400, b'{"error":"the body %b"}' % reason.encode())


@pytest.mark.parametrize(
    ("api", "size", "status"),
    [(PostbackApi.v2, V2_LIMIT, 200), (PostbackApi.v2, V2_LIMIT + 1, 413), (PostbackApi.v1, 3 * V2_LIMIT, 200)],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_the_limit_of_v2(start: Start, api: PostbackApi, size: int, status: int, chunked: bool) -> None:
    """1,048,064 bytes are taken, one more is 413, whether its length is told or not; v1 has no such limit."""
    endpoint = start(api=api)
    body = b'{"events":["' + b"x" * (size - 15) + b'"]}'
    assert endpoint.ask(iter([body[:100], body[100:]]) if chunked else body).status == status
    assert endpoint.stats.stored == (status == 200)


def test_a_sender_that_waits_for_100_is_answered_at_once(start: Start) -> None:
    """A body over the limit is refused before it is sent, and the connection does not wait for it."""
    answer = start().raw(head(V2_LIMIT + 1, "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_refused_body_does_not_end_the_connection(start: Start) -> None:
    """The next request on the same connection is read as itself, not as the rest of a refused body."""
    with start().connected() as connection:
        for headers, sent, status in (
            ({}, 2 * V2_LIMIT * b"x", 403),
            (KEY, 2 * V2_LIMIT * b"x", 413),
            (KEY, BODY, 200),
        ):
            assert ask(connection, sent, headers=headers).status == status


def test_answers_are_not_held_back(start: Start) -> None:
    """An answer never waits for the sender's delayed acknowledgement, which would take 40 ms each time."""
    took = []
    with start().connected() as connection:
        for _ in range(60):
            began = time.monotonic()
            ask(connection)
            took.append(time.monotonic() - began)
    # A sender acknowledges the first few at once. Of the others, all would wait: one that did not is proof enough.
    assert min(took[30:]) < 0.03


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_target_in_absolute_form(start: Start, scheme: str) -> None:
    """As a sender writes it that takes the endpoint for its proxy."""
    endpoint = start()
    answer = endpoint.raw(head(len(BODY), "Connection: close", target=f"{scheme}://x:1{PATH}") + BODY)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert [(each.target, each.result) for each in endpoint.heard] == [(PATH, RequestResult.STORED)]


CHUNKED = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"hello\r\n\r\n", 400, "malformed HTTP"),
        (b"POST /%s HTTP/1.1\r\n\r\n" % PATH.encode(), 400, "malformed HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "not HTTP but TLS: use http://, not https://"),
        (b"POST / HTTP/1.1\r\nHost: x", 408, "no complete headers within 0.2 s"),
        (CHUNKED + b"zz\r\n", 400, "malformed HTTP body"),
        (CHUNKED + b"17\r\n%bXX0\r\n\r\n" % BODY, 400, "malformed HTTP body"),
    ],
)
def test_what_is_not_a_request(start: Start, sent: bytes, status: int, reason: str) -> None:
    """A line in the log tells why there is no row; later requests are not affected."""
    endpoint = start(headers_within=0.2)
    assert endpoint.raw(sent).startswith(b"HTTP/1.1 %d " % status)
    endpoint.wait_for(1)
    heard = [(each.status, each.result, each.reason) for each in endpoint.heard]
    assert heard == [(status, RequestResult.REFUSED, reason)]
    assert endpoint.ask().status == 200


def test_a_silent_connection_is_closed(start: Start) -> None:
    """Without a line in the log: browsers open connections ahead. One that is used stays open between requests."""
    endpoint = start(headers_within=0.2)
    assert endpoint.raw(b"") == b""
    assert endpoint.stats.requests == 0
    with endpoint.connected() as connection:
        for _ in range(2):
            assert ask(connection).body == b"{}"
            time.sleep(0.4)


@pytest.mark.parametrize(("key", "stored"), [("1/key", 1), ("1/other", 0), ("1/ke", 0), ("1/kéy", 0)])
@pytest.mark.parametrize("body", [BODY, b'{"events":[]}', b""])
def test_a_wrong_key_is_answered_as_a_right_one(start: Start, key: str, stored: int, body: bytes) -> None:
    """A wrong key gives 200 and `{}`, as Treasure Data does, and no row."""
    endpoint = start(write_key="1/key")
    assert endpoint.ask(body, headers={"X-TD-Write-Key": key})[:2] == (200, b"{}")
    assert endpoint.stats.stored == (stored if body == BODY else 0)
    assert endpoint.stats.by_result[RequestResult.WRONG_KEY] == 1 - stored


def test_each_request_is_told(start: Start) -> None:
    """The listener hears of every request, in order, with nothing secret in it."""
    endpoint = start(api=PostbackApi.v1)
    endpoint.ask(path=f"{PATH}?td_write_key=1%2Fsecret")
    endpoint.ask(headers={})
    endpoint.ask(path="/" + "x" * 1000)
    assert [(each.target, each.status, each.size, each.events, each.result) for each in endpoint.heard] == [
        (f"{PATH}?td_write_key=***", 200, 23, 1, RequestResult.STORED),
        (PATH, 403, 23, None, RequestResult.REFUSED),
        ("/" + "x" * 299 + "…", 404, 23, None, RequestResult.REFUSED),
    ]
    stats = endpoint.stats
    assert (stats.requests, stats.stored, stats.not_stored, stats.bytes) == (3, 1, 2, 69)
    assert stats.by_status == {200: 1, 403: 1, 404: 1}


@pytest.mark.parametrize(
    ("sent", "target", "reason"),
    [
        (head(99) + b"{", PATH, "the sender disconnected"),
        (head()[:-9], "-", "the sender disconnected before the end of its headers"),
    ],
)
def test_a_sender_that_goes_away(start: Start, sent: bytes, target: str, reason: str) -> None:
    endpoint = start()
    with endpoint.opened() as sender:
        sender.sendall(sent)
    endpoint.wait_for(1)
    told = [(each.target, each.status, each.result, each.reason) for each in endpoint.heard]
    assert told == [(target, None, RequestResult.ABORTED, reason)]
    assert endpoint.store.read_bytes() == b""


def test_a_row_that_cannot_be_written(start: Start) -> None:
    endpoint = start(store=Path("/dev/full"))
    for _ in range(2):
        assert endpoint.ask()[:2] == (500, b'{"error":"cannot write the store: No space left on device"}')
    assert endpoint.stats.by_result == {RequestResult.FAILED: 2}


def test_stopping_does_not_wait_for_ever(store: Path) -> None:
    """A sender that never ends its request is left after `stop_within` seconds."""
    with Served(store, stop_within=1) as endpoint:
        sender = endpoint.opened()
        sender.sendall(head())
        endpoint.ask()
        began = time.monotonic()
    sender.close()
    assert 1 <= time.monotonic() - began < 20
    assert endpoint.stats.stored == 1
    assert not endpoint.running


@pytest.mark.parametrize(
    ("host", "shown", "public"),
    [("::1", "[::1]", False), ("0.0.0.0", "localhost", True)],  # noqa: S104 -- tested
)
def test_addresses(start: Start, host: str, shown: str, public: bool) -> None:
    """Whoever listens on all addresses gets a URL that works here, and can be warned."""
    try:
        endpoint = start(host=host)
    except UsageError:
        pytest.skip("no IPv6 here")
    assert endpoint.url("db1", "table").startswith(f"http://{shown}:{endpoint.port}/")
    assert endpoint.is_public == public
    assert endpoint.ask().status == 200


@pytest.mark.parametrize(("host", "message"), [("no such host", "unknown host"), ("192.0.2.1", "assign requested")])
def test_a_host_that_is_not_here(start: Start, store: Path, host: str, message: str) -> None:
    """A host that cannot be listened on is wrong usage, and no store is begun for it."""
    with pytest.raises(UsageError, match=message):
        start(host=host)
    assert not store.exists()
