"""The connection test: one request, and what follows from its answer."""

from collections.abc import Callable

import pytest

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UnreachableError, UsageError
from td_currents_cli.send.connection_test import BOTH, BRAZE, SEND, run_connection_test
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import resolve
from td_currents_cli.send.retry import Clock
from tests.scripted import Scripted

KEY = "1/" + "5ec4e7" * 6 + "5ec4"


def ticking() -> Callable[[], float]:
    ticks = iter(range(1000))
    return lambda: next(ticks) / 4


@pytest.mark.parametrize(
    ("statuses", "code", "error"),
    [
        ([200, 201, 204], ExitCode.OK, None),
        ([301, 302, 307, 400, 401, 403, 404, 413], ExitCode.REFUSED, EndpointRefusedError),
        # Retried by `send`, but not here.
        ([408, 418, 429, 500, 503], ExitCode.UNREACHABLE, UnreachableError),
    ],
)
def test_what_follows_from_a_status(
    scripted: Scripted, statuses: list[int], code: ExitCode, error: type[TdcurError] | None
) -> None:
    answers = iter(statuses)
    scripted.answer = lambda _: next(answers)
    for status in statuses:
        scripted.bodies.clear()
        outcome = run_connection_test(
            Destination(url=scripted.url), timeout=60, environ={"TD_WRITE_KEY": KEY}, clock=Clock(now=ticking())
        )
        assert scripted.bodies == [EMPTY_PAYLOAD]
        assert [(each.status, each.latency_ms) for each in outcome.requests] == [(status, 250.0)]
        assert KEY not in str(outcome)
        assert outcome.exit_code is code
        assert ("error" in outcome.data()) is (error is not None)
        if error is not None:
            assert isinstance(outcome.error, error)
            assert str(status) in outcome.error.message
            assert outcome.error.hint


def test_no_key_is_wrong_usage() -> None:
    """As it is for sending: Treasure Data would answer 200 without a word about it."""
    url = "https://us01.records.in.treasuredata.com/postback/v3/event/my_db/my_table"
    with pytest.raises(UsageError, match="no write key"):
        run_connection_test(Destination(url=url), timeout=5, environ={})


def test_warnings_come_before_the_request() -> None:
    told: list[str] = []
    destination = Destination(url="https://us01.records.in.treasuredata.com/postback/v3/event/my_db/my_table")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("https_proxy", "http://127.0.0.1:1")
        outcome = run_connection_test(destination, timeout=5, environ={"TD_WRITE_KEY": "odd"}, notice=told.append)
    assert outcome.exit_code is ExitCode.UNREACHABLE
    assert "ACCOUNT/40 HEX DIGITS" in told[0]
    assert outcome.data()["warnings"] == told


def test_a_key_in_the_url_is_tested_as_braze_sends_it_and_as_send_does(scripted: Scripted) -> None:
    query = f"?td_write_key={KEY.replace('/', '%2F')}"
    outcome = run_connection_test(Destination(url=scripted.url + query), timeout=5, environ={})
    assert [each.sender for each in outcome.requests] == [BRAZE, SEND]
    by_braze, by_send = (head.lower() for head in scripted.heads)
    assert f"{query.lower()} http/1.1" in by_braze
    assert "braze-currents-version: 1" in by_braze
    assert "x-td-write-key" not in by_braze
    assert f"x-td-write-key: {KEY}" in by_send
    assert "td_write_key" not in by_send
    assert (outcome.exit_code, outcome.braze_url) == (ExitCode.OK, None)


def test_a_refusal_of_brazes_request_counts_although_send_would_be_accepted(scripted: Scripted) -> None:
    scripted.answer = lambda _: 403 if len(scripted.bodies) == 1 else 200
    outcome = run_connection_test(Destination(url=f"{scripted.url}?td_write_key={KEY}"), timeout=5, environ={})
    assert [each.status for each in outcome.requests] == [403, 200]
    assert outcome.exit_code is ExitCode.REFUSED
    assert outcome.error is not None
    assert "Check the write key" in outcome.error.hint


def test_a_custom_endpoint_is_tested_once(scripted: Scripted) -> None:
    url = f"http://127.0.0.1:{scripted.port}/hook?key=abc"
    outcome = run_connection_test(Destination(url=url), timeout=5, environ={"TD_WRITE_KEY": KEY})
    assert [each.sender for each in outcome.requests] == [BOTH]


def test_a_web_page_fails(scripted: Scripted) -> None:
    scripted.content_type = "text/html"
    outcome = run_connection_test(Destination(url=scripted.url), timeout=5, environ={"TD_WRITE_KEY": KEY})
    assert outcome.exit_code is ExitCode.REFUSED
    assert outcome.error is not None
    assert "web page (text/html), not with {}" in outcome.error.message


@pytest.mark.parametrize(
    ("site", "host"),
    [("us01", "in"), ("ap01", "tokyo.in"), ("eu01", "eu01.in"), ("ap02", "ap02.in"), ("ap03", "ap03.in")],
)
def test_braze_needs_the_v1_url_of_the_site(site: str, host: str) -> None:
    url = f"https://{site}.records.in.treasuredata.com/postback/v3/event/my_db/my_table"
    v1 = f"https://{host}.treasuredata.com/postback/v3/event/my_db/my_table?td_write_key="
    endpoint = resolve(Destination(url=f"{url}?td_write_key={KEY}"), {})
    assert endpoint.braze_url(show_key=False) == f"{v1}***"
    assert endpoint.braze_url(show_key=True) == v1 + KEY.replace("/", "%2F")
    assert resolve(Destination(url=f"{v1}{KEY}"), {}).braze_url(show_key=True) == v1 + KEY.replace("/", "%2F")
