"""Which rows of a table are scanned."""

import pytest

from td_currents_cli.durations import duration
from td_currents_cli.errors import UsageError
from td_currents_cli.read.received import ReceiveTimes
from td_currents_cli.treasure_data.address import DAY, EARLY, LATE, Period, receive_period

NOW = 1_800_000_000.0
BEGIN, END = NOW - 10 * DAY, NOW - 8 * DAY


@pytest.mark.parametrize(
    ("since", "until", "received", "period"),
    [
        (None, None, None, (NOW - DAY, None)),
        (BEGIN, None, None, (BEGIN - EARLY, None)),
        (None, END, None, (END - DAY, END + LATE)),
        (BEGIN, END, None, (BEGIN - EARLY, END + LATE)),
        (None, None, ReceiveTimes(BEGIN, END), (BEGIN, END)),
        (None, None, ReceiveTimes(until=END), (END - DAY, END)),
        (END, None, ReceiveTimes(BEGIN), (BEGIN, None)),
        (None, END, ReceiveTimes(BEGIN), (BEGIN, END + LATE)),
        (BEGIN, None, ReceiveTimes(until=END), (BEGIN - EARLY, END)),
        (0.0, None, None, (0.0, None)),
        (None, None, ReceiveTimes(-1e15), (0.0, None)),
    ],
)
def test_what_is_scanned(
    since: float | None, until: float | None, received: ReceiveTimes | None, period: tuple[float, float | None]
) -> None:
    """Each end is that of the receive times, else follows from the event times; without both, it is the last day."""
    assert receive_period(since, until, NOW, received) == Period(*period)


def test_how_late_events_may_be() -> None:
    assert duration("5d", "--late") == LATE
    assert receive_period(None, END, NOW, late=60.0) == Period(END - DAY, END + 60)


def test_in_scripts() -> None:
    """Also beyond the year 9999."""
    assert Period(0.0).as_dict() == {"received_since": "1970-01-01T00:00:00Z", "received_until": None}
    assert Period(0.0, 3e11).as_dict()["received_until"] == "9999-12-31T23:59:59Z"


def test_no_row_can_be_in_both() -> None:
    with pytest.raises(UsageError, match="no row can be"):
        receive_period(NOW, None, NOW, ReceiveTimes(until=END))
