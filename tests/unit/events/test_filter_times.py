from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import LATEST, all_usable, iso, moment_of, seconds_of, usable_seconds, zone_of

NOW = 1_790_000_000.0
JULY = datetime(2026, 7, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (1790000000, 1790000000),
        (1790000000.5, 1790000000.5),
        ("1790000000", 1790000000),
        (0, 0),
        (LATEST, LATEST),
        (LATEST + 1, None),
        (1790000000000000, None),
        (-1, None),
        (True, None),
        (None, None),
        ("", None),
        ("1.5", None),
        ("²", None),
        ("\u0661", None),
        ("9" * 5000, None),
        (float("inf"), None),
        (float("nan"), None),
        ("\ud800", None),
        ([1], None),
    ],
)
def test_usable_times(time: object, seconds: float | None) -> None:
    """UNIX seconds between 1970 and 9999, as a number or a string of digits; None for anything else."""
    assert usable_seconds(time) == seconds


@pytest.mark.parametrize("odd", [-1, LATEST + 1, True, None, "5", 1.5, [1]])
def test_a_list_is_usable_if_all_of_its_times_are(odd: object) -> None:
    """With one that is not an integer, each must be checked."""
    assert all_usable([0, 5, LATEST]) == [0, 5, LATEST]
    assert all_usable([0, odd, 5]) is None
    assert all_usable([]) is None


def test_times_are_written_in_utc() -> None:
    assert iso(datetime(2026, 11, 20, 10, 0, 0, 999_999, UTC)) == "2026-11-20T10:00:00Z"
    assert iso(moment_of(JULY)) == "2026-07-01T00:00:00Z"
    assert iso(moment_of(None)) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-07-01", JULY),
        (" 2026-07-01 ", JULY),
        ("2026-07-01T10:30", JULY + 10.5 * 3600),
        ("2026-07-01 10:30:15", JULY + 10.5 * 3600 + 15),
        ("2026-07-01T10:30Z", JULY + 10.5 * 3600),
        ("2026-07-01T10:30+02:00", JULY + 8.5 * 3600),
        ("1790000000", NOW),
        ("@0", 0),
        ("@1790000000", NOW),
        ("-90s", NOW - 90),
        ("-15m", NOW - 900),
        ("-36h", NOW - 36 * 3600),
        ("-7d", NOW - 7 * 86_400),
        ("-2w", NOW - 14 * 86_400),
    ],
)
def test_values_of_since_and_until(text: str, seconds: float) -> None:
    """ISO 8601, in UTC by default; UNIX seconds; a time ago."""
    assert seconds_of(text, "--since", now=NOW, zone=UTC) == seconds


def test_a_date_without_a_zone_is_in_the_requested_zone() -> None:
    """A day begins at midnight of that zone; a zone of its own wins."""
    berlin = ZoneInfo("Europe/Berlin")
    assert seconds_of("2026-07-01", "--since", now=NOW, zone=berlin) == JULY - 7200
    assert seconds_of("2026-07-01T00:00Z", "--since", now=NOW, zone=berlin) == JULY


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7d", "-7y", "-d", "20260701", "2026", "1790000000000", "@1790000000000", "2026-13-01", "\u0661"],
)
def test_invalid_values_of_since_and_until(text: str) -> None:
    """The message names the option; digits that could be a date or seconds are refused, too."""
    with pytest.raises(UsageError, match="--until"):
        seconds_of(text, "--until", now=NOW, zone=UTC)


def test_time_zones_by_name() -> None:
    assert zone_of("UTC") is UTC
    assert str(zone_of("Asia/Kathmandu")) == "Asia/Kathmandu"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../UTC", "Europe", "/etc/passwd", "\0"])
def test_unknown_time_zones(name: str) -> None:
    with pytest.raises(UsageError, match="--timezone"):
        zone_of(name)
