from pathlib import Path

import pytest

from td_currents_cli.events.filter import Filter
from td_currents_cli.model import Problem
from td_currents_cli.read import records, sources
from td_currents_cli.read.export_layout import EARLY, LATE, PartFilter, event_type_of, hours_of
from tests.exports import OPEN, export_path

DAY = 86_400
START = 1_782_864_000  # 2026-07-01T00:00:00Z


@pytest.mark.parametrize(
    ("path", "event_type"),
    [
        ("s3://bucket/dataexport.x/event_type=users.messages.email.Open/date=2026-07-01-13/1/a.avro", OPEN),
        ("event_type=users.a/event_type=users.messages.email.Open/a.avro", OPEN),
        ("event_type=users%2Ea/a.avro", "users.a"),
        ("s3://bucket/a.avro", None),
        ("my_event_type=users.a/a.avro", None),
        ("event_type=users.a", None),
    ],
)
def test_the_type_in_a_path(path: str, event_type: str | None) -> None:
    assert event_type_of(path) == event_type


@pytest.mark.parametrize(
    ("path", "hours"),
    [
        ("x/date=2026-07-01-13/a", (START + 13 * 3600, START + 14 * 3600)),
        ("x/date=2026-07-01/a", (START, START + DAY)),
        ("x/date=2026-13-01/a", None),
        ("x/date=yesterday/a", None),
    ],
)
def test_the_hours_in_a_path(path: str, hours: tuple[int, int] | None) -> None:
    assert hours_of(path) == hours


@pytest.mark.parametrize(
    ("since", "until", "excluded"),
    [
        (None, None, False),
        (START + 3600 + EARLY, None, True),
        (START + 3600 + EARLY - 1, None, False),
        (None, START - LATE, True),
        (None, START - LATE + 1, False),
    ],
)
def test_hours_that_cannot_have_wanted_events(since: int | None, until: int | None, excluded: bool) -> None:
    """Events may be dated a little after their hour, and days before it."""
    parts = PartFilter(lambda _: True, since, until)
    assert parts.excludes(f"event_type={OPEN}/date=2026-07-01-00/a.avro") is excluded
    assert not parts.excludes("elsewhere/a.avro")


def test_files_that_are_skipped_are_counted(tmp_path: Path) -> None:
    for event_type in (OPEN, "users.messages.email.Click"):
        for hour in ("2026-07-01-00", "2026-07-20-00"):
            export_path(tmp_path, event_type=event_type, hour=hour).touch()
    wanted = Filter.of(types=["*.Open"], since="2026-07-10", until=None, now=0)
    found = sources([str(tmp_path)], parts=PartFilter(wanted.types, wanted.since, wanted.until))
    assert [str(each.path) for each in found if each.note is None] == [str(export_path(tmp_path, hour="2026-07-20-00"))]
    (note,) = [each for each in records(found) if isinstance(each, Problem) and each.code == "TDC024"]
    expected = "3 files skipped: by event_type= and date= in their paths, they contain no wanted events"
    assert note.message == expected
