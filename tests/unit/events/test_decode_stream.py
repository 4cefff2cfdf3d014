from typing import Any

from msgspec import UNSET, Struct

from td_currents_cli.events.decode import Decoder, EventReader
from td_currents_cli.model import Batch, Code, Location, Problem


class Event(Struct):
    event_type: Any = UNSET


PLACE = Location(source="x", line=1, column=1)
GOOD = Batch(b'{"events":[{"event_type":"a"},1,{"event_type":"b"}]}', PLACE)
BAD = Batch(b'{"events":5}', PLACE)
LINE = Batch(b'{"event_type":"c"}{"events":[2,{"event_type":"d"}]}{"a":NaN}', PLACE)
ROW = Problem(code=Code.BAD_ROW, location=PLACE, message="bad", raw=b"1,2")
REMARK = Problem(code=Code.UNREADABLE, location=PLACE, message="cut off")


def test_every_row_and_every_event_is_accounted_for() -> None:
    """Good and rejected rows and events; a problem that is not about a row is not counted as one."""
    rejected: list[Problem] = []
    intake = EventReader(on_reject=rejected.append)
    events = [event.event_type for _, each in intake.events([GOOD, BAD, ROW, REMARK], Decoder(Event)) for event in each]
    balance = intake.balance(events_out=len(events))
    assert events == ["a", "b"]
    assert (balance.rows_read, balance.rows_rejected, balance.rows_good) == (3, 2, 1)
    assert (balance.events_read, balance.events_rejected) == (3, 1)
    assert balance.balanced
    assert [problem.raw for problem in rejected] == [b"1", BAD.data, b"1,2"]
    problems = intake.log.result()
    assert (problems.total, problems.unreadable) == (4, 1)
    assert all(problem.raw is None for problem in problems.kept)


def test_each_document_of_a_line_is_a_row() -> None:
    """With their own batch, so that places and pointers are those of the document."""
    intake = EventReader()
    found = [
        (batch.location.column, [event.event_type for event in each])
        for batch, each in intake.events([LINE], Decoder(Event))
    ]
    assert found == [(1, ["c"]), (19, ["d"])]
    balance = intake.balance(events_out=2)
    assert (balance.rows_read, balance.rows_rejected, balance.events_read, balance.events_rejected) == (3, 1, 3, 1)
    assert balance.balanced


def test_a_batch_without_events_is_yielded() -> None:
    """It is Braze's connection test, which callers may want to report."""
    intake = EventReader()
    empty = Batch(b'{"events":[]}', PLACE)
    assert list(intake.events([empty], Decoder(Event))) == [(empty, [])]


def test_a_lost_event_makes_the_balance_fail() -> None:
    """A command that loses an event does not exit with 0."""
    intake = EventReader()
    assert [len(each) for _, each in intake.events([GOOD], Decoder(Event))] == [2]
    assert not intake.balance(events_out=1).balanced
    assert intake.balance(events_out=1, duplicates=1).balanced
