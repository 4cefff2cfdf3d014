"""The connection test: one request, and what follows from its answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import EndpointRefusedError, ExitCode, UnreachableError, UsageError
from td_currents_cli.send.connection_test import ConnectionTestOutcome, run_connection_test
from td_currents_cli.send.endpoint import Destination
from td_currents_cli.send.retry import Clock

if TYPE_CHECKING:
    from tests.conftest import Scripted

KEY = "1/" + "5ec4e7" * 6 + "5ec4"


def ticking() -> Callable[[], float]:
    ticks = iter(range(1000))
    return lambda: next(ticks) / 4


def checked(scripted: "Scripted", status: int) -> ConnectionTestOutcome:
    """Return the outcome of the check of an endpoint that responds with this status, once."""
    scripted.answer = lambda _: status
    outcome = run_connection_test(
        Destination(url=scripted.url), timeout=5, environ={"TD_WRITE_KEY": KEY}, clock=Clock(now=ticking())
    )
    assert scripted.bodies == [EMPTY_PAYLOAD]
    assert outcome.status == status
    assert outcome.latency_ms == 250.0
    assert KEY not in str(outcome)
    return outcome


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_2xx_passes_the_connection_test(scripted: "Scripted", status: int) -> None:
    outcome = checked(scripted, status)
    assert outcome.exit_code is ExitCode.OK
    assert outcome.error is None
    assert "error" not in outcome.data()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 413])
def test_an_endpoint_that_refuses_the_credentials_is_exit_4(scripted: "Scripted", status: int) -> None:
    outcome = checked(scripted, status)
    assert outcome.exit_code is ExitCode.REFUSED
    assert isinstance(outcome.error, EndpointRefusedError)
    assert str(status) in outcome.error.message
    assert outcome.error.hint


@pytest.mark.parametrize("status", [408, 418, 429, 500, 503])
def test_what_would_be_retried_is_exit_5_and_is_not_retried(scripted: "Scripted", status: int) -> None:
    outcome = checked(scripted, status)
    assert outcome.exit_code is ExitCode.UNREACHABLE
    assert isinstance(outcome.error, UnreachableError)
    assert str(status) in outcome.error.message


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
