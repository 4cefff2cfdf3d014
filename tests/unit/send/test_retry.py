"""What follows from an answer, and how long to wait."""

import pytest

from td_currents_cli.send.retry import (
    ConnectionLost,
    HttpResponse,
    NextStep,
    NotConnected,
    RequestFailure,
    RetrySchedule,
    TimedOut,
    UnknownHost,
    UntrustedHost,
    may_have_arrived,
    next_step,
    retry_after_seconds,
)


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        (NextStep.DELIVERED, [200, 201, 202, 204, 299]),
        (NextStep.STOP, [401, 403, 404, 300, 301, 302, 303, 304, 307, 308]),
        (NextStep.BAD_REQUEST, [400]),
        (NextStep.TOO_LARGE, [413]),
        (NextStep.RETRY, [408, 429, 500, 502, 503, 504, 599, 402, 405, 409, 418, 422]),
    ],
)
def test_statuses_are_treated_as_braze_treats_them(verdict: NextStep, statuses: list[int]) -> None:
    """The table of FACTS.md, section 1; any status that is not in it is retried."""
    assert {next_step(HttpResponse(status=status), reached=True) for status in statuses} == {verdict}


@pytest.mark.parametrize("failure", [UnknownHost("x"), UntrustedHost("x")])
def test_permanent_failures_stop_at_first_contact_only(failure: RequestFailure) -> None:
    assert next_step(failure, reached=False) is NextStep.STOP
    assert next_step(failure, reached=True) is NextStep.RETRY


@pytest.mark.parametrize("failure", [NotConnected("x"), TimedOut("x"), ConnectionLost("x")])
def test_other_failures_are_retried(failure: RequestFailure) -> None:
    assert next_step(failure, reached=False) is NextStep.RETRY


def test_only_requests_that_may_have_arrived_are_ambiguous() -> None:
    assert [may_have_arrived(result) for result in (TimedOut("x"), ConnectionLost("x"))] == [True, True]
    assert [may_have_arrived(HttpResponse(status=status)) for status in (502, 504, 500, 503, 429, 200)] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert not may_have_arrived(NotConnected("x"))


def test_waits_double_up_to_a_bound_and_are_spread_from_zero() -> None:
    most = RetrySchedule(retry_for=10_000, uniform=lambda _, high: high)
    assert [most.wait(failures=n, spent=0) for n in (1, 2, 3, 7, 8, 1000)] == [0.5, 1.0, 2.0, 30.0, 30.0, 30.0]
    least = RetrySchedule(retry_for=10_000, uniform=lambda low, _: low)
    assert least.wait(failures=5, spent=0) == 0.0


def test_the_last_attempt_is_at_the_end_of_the_time_for_retries() -> None:
    backoff = RetrySchedule(retry_for=10, uniform=lambda _, high: high)
    assert backoff.wait(failures=6, spent=7) == 3
    assert backoff.wait(failures=7, spent=10) is None
    assert RetrySchedule(retry_for=0, uniform=lambda _, high: high).wait(failures=1, spent=0) is None


def test_retry_after_is_the_least_wait_and_is_capped() -> None:
    backoff = RetrySchedule(retry_for=900, uniform=lambda _, high: high)
    assert backoff.wait(failures=1, spent=0, asked=7) == 7.5
    assert backoff.wait(failures=1, spent=0, asked=86_400) == 300.5


def test_an_endpoint_that_asks_for_more_time_than_there_is_ends_the_retries() -> None:
    assert RetrySchedule(retry_for=30, uniform=lambda _, high: high).wait(failures=1, spent=0, asked=60) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 60.0),
        ("Wed, 21 Oct 2015 07:26:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 60.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("٣", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_retry_after_in_all_its_forms(header: str | None, seconds: float) -> None:
    assert retry_after_seconds(header, now=1445412420.0) == seconds
