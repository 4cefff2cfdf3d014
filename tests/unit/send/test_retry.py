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


@pytest.mark.parametrize(
    ("failure", "first", "may_arrive"),
    [
        (UnknownHost("x"), NextStep.STOP, False),
        (UntrustedHost("x"), NextStep.STOP, False),
        (NotConnected("x"), NextStep.RETRY, False),
        (TimedOut("x"), NextStep.RETRY, True),
        (ConnectionLost("x"), NextStep.RETRY, True),
    ],
)
def test_failures_are_retried_but_permanent_ones_not_at_first_contact(
    failure: RequestFailure, first: NextStep, may_arrive: bool
) -> None:
    assert next_step(failure, reached=False) is first
    assert next_step(failure, reached=True) is NextStep.RETRY
    assert may_have_arrived(failure) is may_arrive


def test_only_a_gateway_leaves_it_open_whether_a_request_arrived() -> None:
    statuses = (200, 429, 500, 502, 503, 504)
    assert [status for status in statuses if may_have_arrived(HttpResponse(status=status))] == [502, 504]


def test_waits_double_up_to_a_bound_and_are_spread_from_zero() -> None:
    most = RetrySchedule(retry_for=10_000, uniform=lambda _, high: high)
    assert [most.wait(failures=n, spent=0) for n in (1, 2, 3, 7, 8, 1000)] == [0.5, 1.0, 2.0, 30.0, 30.0, 30.0]
    least = RetrySchedule(retry_for=10_000, uniform=lambda low, _: low)
    assert least.wait(failures=5, spent=0) == 0.0


@pytest.mark.parametrize(
    ("retry_for", "failures", "spent", "asked", "wait"),
    [
        # The last attempt is at the end of the time for retries.
        (10, 6, 7, 0, 3),
        (10, 7, 10, 0, None),
        (0, 1, 0, 0, None),
        # `Retry-After` is the least wait, and is capped.
        (900, 1, 0, 7, 7.5),
        (900, 1, 0, 86_400, 300.5),
        # An endpoint that asks for more time than there is ends the retries.
        (30, 1, 0, 60, None),
    ],
)
def test_waits_end_with_the_time_for_retries(
    retry_for: float, failures: int, spent: float, asked: float, wait: float | None
) -> None:
    schedule = RetrySchedule(retry_for=retry_for, uniform=lambda _, high: high)
    assert schedule.wait(failures=failures, spent=spent, asked=asked) == wait


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
