from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.events.moments import seconds_of, zone_of
from td_currents_cli.events.times import LATEST, all_usable, iso, moment_of, usable_seconds

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
def test_what_is_a_time(time: object, seconds: float | None) -> None:
    """UNIX seconds between 1970 and 9999, as a number or as a text of digits; anything else is none and no error."""
    assert usable_seconds(time) == seconds


@pytest.mark.parametrize("odd", [-1, LATEST + 1, True, None, "5", 1.5, [1]])
def test_a_list_is_usable_as_it_stands_when_all_of_it_is(odd: object) -> None:
    """One that is no whole number of seconds, and each has to be asked for by itself."""
    assert all_usable([0, 5, LATEST]) == [0, 5, LATEST]
    assert all_usable([0, odd, 5]) is None
    assert all_usable([]) is None


def test_moments_are_written_in_utc() -> None:
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
def test_what_people_write_for_a_moment(text: str, seconds: float) -> None:
    """ISO 8601, in UTC where it names no zone; UNIX seconds; how long ago."""
    assert seconds_of(text, "--since", now=NOW, zone=UTC) == seconds


def test_a_date_without_a_zone_is_in_the_zone_asked_for() -> None:
    """A day begins at midnight of that zone; a zone of its own wins."""
    berlin = ZoneInfo("Europe/Berlin")
    assert seconds_of("2026-07-01", "--since", now=NOW, zone=berlin) == JULY - 7200
    assert seconds_of("2026-07-01T00:00Z", "--since", now=NOW, zone=berlin) == JULY


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7d", "-7y", "-d", "20260701", "2026", "1790000000000", "@1790000000000", "2026-13-01", "\u0661"],
)
def test_what_is_no_moment(text: str) -> None:
    """It is refused by the name of the option; digits that could be a date or seconds too."""
    with pytest.raises(UsageError, match="--until"):
        seconds_of(text, "--until", now=NOW, zone=UTC)


def test_zones_by_their_name() -> None:
    assert zone_of("UTC") is UTC
    assert str(zone_of("Asia/Kathmandu")) == "Asia/Kathmandu"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../UTC", "Europe", "/etc/passwd", "\0"])
def test_what_is_no_zone(name: str) -> None:
    """It is refused, whatever the machine has under that name."""
    with pytest.raises(UsageError, match="--timezone"):
        zone_of(name)
