from datetime import UTC, datetime
from pathlib import Path

import pytest

from td_currents_cli.count import LATEST, CountOutcome, CountRequest, iso, run, usable_seconds
from td_currents_cli.errors import ExitCode
from td_currents_cli.read import sources


def count(path: Path, text: str) -> CountOutcome:
    """The counts of one file."""
    path.write_text(text, encoding="utf-8")
    return run(CountRequest(sources([str(path)])))


def test_counts_are_in_descending_order(tmp_path: Path) -> None:
    """Types with equal counts by name; shares are of all events; events without a type come last among equals."""
    names = ["b", "a", "c", "c"]
    events = ",".join(f'{{"event_type":"{name}"}}' for name in names) + ',{"id":"x"},{"event_type":5}'
    outcome = count(tmp_path / "x.json", f'{{"events":[{events}]}}')
    assert [(each.event_type, each.count) for each in outcome.counts] == [(None, 2), ("c", 2), ("a", 1), ("b", 1)]
    assert [each.share for each in outcome.counts] == [2 / 6, 2 / 6, 1 / 6, 1 / 6]
    assert outcome.exit_code is ExitCode.OK


def test_first_and_last_time_of_each_type_and_of_all(tmp_path: Path) -> None:
    """Of those events that have a usable time; order in the file does not matter."""
    times = [("a", "30"), ("a", "10"), ("b", '"20"'), ("b", "null"), ("c", "1790000000000000")]
    events = "\n".join(f'{{"event_type":"{name}","time":{time}}}' for name, time in times)
    outcome = count(tmp_path / "x.jsonl", events)
    assert [(each.event_type, iso(each.first), iso(each.last)) for each in outcome.counts] == [
        ("a", "1970-01-01T00:00:10Z", "1970-01-01T00:00:30Z"),
        ("b", "1970-01-01T00:00:20Z", "1970-01-01T00:00:20Z"),
        ("c", None, None),
    ]
    assert (iso(outcome.first), iso(outcome.last)) == ("1970-01-01T00:00:10Z", "1970-01-01T00:00:30Z")


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
        ("\ud800", None),
        ([1], None),
    ],
)
def test_what_is_a_time(time: object, seconds: float | None) -> None:
    """UNIX seconds between 1970 and 9999, as a number or as a text of digits; anything else is none and no error."""
    assert usable_seconds(time) == seconds


def test_moments_are_written_in_utc() -> None:
    """To the second, with the suffix that every reader knows."""
    assert iso(datetime(2026, 11, 20, 10, 0, 0, 999_999, UTC)) == "2026-11-20T10:00:00Z"
    assert iso(None) is None


def test_the_balance_is_part_of_the_outcome(tmp_path: Path) -> None:
    """Rows and events, good and rejected; what was rejected makes the run exit 1."""
    outcome = count(tmp_path / "x.jsonl", '{"events":[{"event_type":"a"},1]}\n{"events":5}\n')
    assert outcome.summary() == {
        "total": 1,
        "types": 1,
        "first": None,
        "last": None,
        "rows": 2,
        "rows_rejected": 1,
        "events_read": 2,
        "events_rejected": 1,
        "problems": 2,
    }
    assert outcome.balance.balanced
    assert outcome.exit_code is ExitCode.FINDINGS


def test_names_that_no_encoding_has_do_not_stop_the_count(tmp_path: Path) -> None:
    """A lone surrogate in a type is a type."""
    outcome = count(tmp_path / "x.json", '{"event_type":"\\ud800","time":1e400}')
    assert [(each.event_type, each.count, each.first) for each in outcome.counts] == [("\ud800", 1, None)]
