"""Batches in, payloads out: what is sent is what was read."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.errors import UsageError
from td_currents_cli.journal.events import SentEvent
from td_currents_cli.journal.keys import document_key, event_keys, older_document_key
from td_currents_cli.journal.writer import Journal
from td_currents_cli.model import Batch, Code, Location, Problem
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.payload import Payload, PayloadLimits, Planned
from td_currents_cli.send.prefilter import SendFilter, journal_fields, pack_events
from td_currents_cli.send.sender import parts_of
from tests.journals import delivered, opened

EVENT = b'{"event_type":"t","id":"%d","time":1,"x":1.0,"y":12345678901234567890}'


def event(number: int) -> bytes:
    return EVENT % number


def document(*events: bytes) -> bytes:
    return b'{ "events" : [ ' + b" , ".join(events) + b" ] }"


def batches(*data: bytes, source: str = "a.jsonl") -> list[Batch]:
    return [Batch(text, Location(source=source, line=line)) for line, text in enumerate(data, 1)]


def plan(
    records: Iterable[Batch | Problem], *, events: int = 100, size: int = 1_048_064, repack: bool = False
) -> list[Planned]:
    return list(Planner(PayloadLimits(events=events, size=size, repack=repack)).plan(records))


def payloads(planned: Iterable[Planned]) -> list[Payload]:
    return [item for item in planned if isinstance(item, Payload)]


def events_of(sent: Iterable[Payload]) -> list[bytes]:
    found: list[bytes] = []
    for payload in sent:
        events = msgspec.json.decode(payload.body, type=dict[str, list[msgspec.Raw]])["events"]
        assert payload.events == len(events) == sum(origin.count for origin in payload.origins)
        found += map(bytes, events)
    return found


def test_a_document_that_fits_is_one_request_byte_for_byte() -> None:
    data = b'{ "note": 1, "events" : [ ' + event(1) + b" ]\t}"
    (payload,) = payloads(plan(batches(data)))
    assert (payload.body, payload.events, payload.index) == (data, 1, 0)
    assert payload.location == Location(source="a.jsonl", line=1)


A, B, C = event(1), event(2), event(3)
PAIR = document(A, B)
PACKED = b'{"events":[' + A + b"," + B + b"]}"


@pytest.mark.parametrize(
    ("records", "limits", "sent"),
    [
        # Braze's batches are kept, unless --repack says otherwise.
        (batches(document(A), document(B)), {}, [[A], [B]]),
        (batches(document(A), document(B)), {"repack": True}, [[A, B]]),
        # A folder of Braze's own samples does not become one request across files, unless asked for.
        ([*batches(A, B), *batches(C, source="b.json")], {}, [[A, B], [C]]),
        ([*batches(A, B), *batches(C, source="b.json")], {"repack": True}, [[A, B, C]]),
        (batches(A, document(B), C), {}, [[A], [B], [C]]),
        (batches(b"[ " + A + b",\n" + B + b"]"), {}, [[A, B]]),
        (batches(document(A) + document(B)), {}, [[A], [B]]),
        (batches(PAIR), {"size": len(PAIR)}, [[A, B]]),
        (batches(PAIR), {"size": len(PACKED) - 1}, [[A], [B]]),
        (batches(A, B), {"size": len(PACKED)}, [[A, B]]),
        (batches(A, B), {"size": len(PACKED) - 1}, [[A], [B]]),
        # Braze's connection test would become an empty row.
        (batches(b'{"events":[]}', b"[]"), {}, []),
    ],
)
def test_which_events_share_a_request(records: list[Batch], limits: dict[str, Any], sent: list[list[bytes]]) -> None:
    found = payloads(plan(records, **limits))
    assert [events_of([payload]) for payload in found] == sent
    assert [payload.index for payload in found] == list(range(len(sent)))


def test_a_large_document_is_split_in_order_by_count() -> None:
    numbers = [event(number) for number in range(101)]
    first, second = payloads(plan(batches(document(*numbers))))
    assert (first.events, second.events) == (100, 1)
    assert events_of([first, second]) == numbers
    assert [(origin.first, origin.count) for origin in (*first.origins, *second.origins)] == [(0, 100), (100, 1)]


def test_each_part_of_a_split_document_keeps_the_other_fields() -> None:
    """Treasure Data makes a column of each: splitting must not lose them."""
    data = b'{"a\\"b": 1.0, "events": [' + event(1) + b"," + event(2) + b'], "z": {"k": [ ]}}'
    split_keys = payloads(plan(batches(data), events=1))
    assert [part.body for part in split_keys] == [
        b'{"a\\"b":1.0,"z":{"k": [ ]},"events":[' + event(number) + b"]}" for number in (1, 2)
    ]


def test_a_bad_record_does_not_keep_the_others_from_being_sent() -> None:
    records = batches(document(event(1)), b"{broken", document(event(2), b"7", event(3)))
    planned = plan(records)
    problems = [item for item in planned if isinstance(item, Problem)]
    assert [problem.code for problem in problems] == [Code.NOT_JSON, Code.EVENT_NOT_OBJECT]
    sent = payloads(planned)
    assert events_of(sent) == [event(1), event(2), event(3)]
    assert [(origin.first, origin.count) for origin in sent[1].origins] == [(0, 1), (2, 1)]


def test_an_event_over_the_limit_is_named_and_the_rest_is_sent() -> None:
    large = b'{"event_type":"t","id":"secret","x":"' + b"x" * 300 + b'"}'
    planner = Planner(PayloadLimits(size=200))
    planned = list(planner.plan(batches(document(event(1), large, event(2)))))
    (unsendable,) = (item for item in planned if isinstance(item, DeadLetter))
    (problem,) = unsendable.problems
    assert problem.code is Code.EVENT_TOO_LARGE
    assert problem.event_index == 1
    assert unsendable.event == large
    assert "secret" not in problem.message
    assert events_of(payloads(planned)) == [event(1), event(2)]
    assert planner.read == 3


class RefusesB:
    """Rules that only event `b` breaks."""

    def fields_if_valid(self, _document: bytes) -> None:
        return None

    def errors_of(self, event: bytes) -> Sequence[Problem]:
        problem = Problem(code=Code.TIME_MISSING, location=Location("<event>"), message="", pointer="/time")
        return [problem] if b'"b"' in event else []


def test_an_invalid_event_of_a_truncated_cell_is_not_sent_and_the_others_are() -> None:
    cell = b'[{"id":"a"},7,{"id":"b"},{"id":"c"},{"id'
    planner = Planner(PayloadLimits(), SendFilter(check=RefusesB()))
    planned = list(planner.plan([Batch(cell, Location("t.csv", line=2, row=1))]))
    problems = [item.code for item in planned if isinstance(item, Problem)]
    assert problems == [Code.EVENT_NOT_OBJECT, Code.CUT_OFF]
    (unsendable,) = (item for item in planned if isinstance(item, DeadLetter))
    assert (unsendable.event, unsendable.event_index) == (b'{"id":"b"}', 2)
    assert unsendable.problems[0].pointer == "/2/time"
    assert events_of(payloads(planned)) == [b'{"id":"a"}', b'{"id":"c"}']
    assert planner.read == 3


@pytest.mark.parametrize(
    "text", [b'{"events":[{"id":"a"},]}', b'[{"id":"a"}{"id":"b"}]', b"[{'id':'a'}]", b'[{"id":"a"},{"id":NaN}]']
)
@pytest.mark.parametrize("row", [1, None])
def test_nothing_is_sent_of_what_is_malformed_in_another_way_than_truncated(text: bytes, row: int | None) -> None:
    planned = plan([Batch(text, Location("t.csv", line=2, row=row))])
    assert payloads(planned) == []
    assert all(isinstance(item, Problem) for item in planned)


STREAMING = Batch(
    b'{"time":1,"id":"a","event_type":"users.messages.email.Open",'
    b'"properties":{"is_amp":"true","email_address":"true"},"user":{"user_id":"u"}}',
    Location("rows.jsonl", line=1, row=1),
    is_streaming=True,
)


def test_rows_of_the_streaming_connector_are_refused_with_what_is_lost() -> None:
    with pytest.raises(UsageError) as caught:
        plan([STREAMING])
    assert "rows.jsonl:1 (row 1)" in caught.value.message
    assert "the time of the event and the fractions of its numbers are lost" in caught.value.message
    assert "--lossy" in caught.value.hint


def test_lossy_reverses_the_booleans_that_the_catalog_knows() -> None:
    (payload,) = payloads(Planner(PayloadLimits(), is_lossy=True).plan([STREAMING]))
    (event,) = msgspec.json.decode(payload.body)["events"]
    assert event["properties"] == {"is_amp": True, "email_address": "true"}
    assert event["time"] == 1


def test_invalid_utf8_is_not_forwarded() -> None:
    planned = plan(batches(b'{"events":[{"id":"\xff"}]}'))
    assert [item.code for item in planned if isinstance(item, Problem)] == [Code.NOT_UTF8]
    assert payloads(planned) == []


def test_an_event_with_a_lone_surrogate_is_sent_unchanged() -> None:
    odd = rb'{"event_type":"t","id":"\ud800"}'
    (payload,) = payloads(plan(batches(document(event(1), odd))))
    assert payload.body == b'{"events":[' + event(1) + b"," + odd + b"]}"


SHAPES = st.lists(
    st.tuples(st.sampled_from(["document", "array", "bare"]), st.lists(st.integers(0, 10**6), min_size=1, max_size=9)),
    max_size=8,
)


@given(shapes=SHAPES, count=st.integers(1, 7), size=st.integers(90, 900), repack=st.booleans())
def test_whatever_the_limits_the_events_sent_are_the_events_read(
    shapes: list[tuple[str, list[int]]], count: int, size: int, repack: bool
) -> None:
    texts: list[bytes] = []
    for shape, numbers in shapes:
        events = [event(number) for number in numbers]
        if shape == "document":
            texts.append(document(*events))
        elif shape == "array":
            texts.append(b"[" + b",".join(events) + b"]")
        else:
            texts += events
    planner = Planner(PayloadLimits(events=count, size=size, repack=repack))
    sent = payloads(planner.plan(batches(*texts)))
    read = [event(number) for _, numbers in shapes for number in numbers]
    assert events_of(sent) == read
    assert planner.read == len(read)
    assert all(payload.events <= count and len(payload.body) <= size for payload in sent)
    assert [payload.index for payload in sent] == list(range(len(sent)))


@given(shapes=SHAPES, beside=st.booleans())
def test_the_parts_of_a_payload_are_the_payload(shapes: list[tuple[str, list[int]]], beside: bool) -> None:
    numbers = [number for _, group in shapes for number in group]
    data = document(*map(event, numbers))
    if beside:
        data = data.replace(b"{", b'{"note": 1.0, ', 1)
    for whole in payloads(plan(batches(data))):
        halves, singles = (0, whole.events // 2, whole.events), range(whole.events + 1)
        for bounds in (halves, singles) if whole.events > 1 else (singles,):
            pieces = list(parts_of(whole, bounds))
            assert events_of_parts(pieces) == events_of_parts([whole])
            origins = [origin for part in pieces for origin in part.origins]
            assert [(origin.first, origin.count) for origin in origins] == [(place, 1) for place in range(whole.events)]
            assert all((b'"note":1.0' in part.body) is beside for part in pieces)
            assert {part.index for part in pieces} == {whole.index}
            assert [part.events for part in pieces] == [end - start for start, end in pairwise(bounds)]


def events_of_parts(sent: Iterable[Payload]) -> list[bytes]:
    return [text for payload in sent for text in payload.event_texts()]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(opened(tmp_path / "journal")) as journal:
        yield journal


def test_what_earlier_runs_delivered_is_in_no_payload(tmp_path: Path) -> None:
    """Also documents that earlier versions delivered, which had another digest."""
    old, older, other = document(event(1), event(2)), document(event(6)), document(event(3), event(4), event(5))
    delivered(tmp_path / "journal", document_key(old), older_document_key(older), *[event_keys([event(4)])] * 2)
    with closing(opened(tmp_path / "journal")) as journal:
        planner = Planner(PayloadLimits(), SendFilter(journal))
        (payload,) = payloads(planner.plan(batches(old, older, other, event(4))))
        resent = Planner(PayloadLimits(), SendFilter(journal, resend=True))
        assert [sent.body for sent in payloads(resent.plan(batches(old, older)))] == [old, older]
    assert payload.body == b'{"events":[' + event(3) + b"," + event(5) + b"]}"
    assert payload.keys == event_keys([event(3), event(5)])
    assert [(origin.first, origin.count) for origin in payload.origins] == [(0, 1), (2, 1)]
    assert (planner.read, planner.already_delivered) == (7, 5)


def test_keys_are_made_only_for_a_journal(journal: Journal) -> None:
    records = batches(document(event(1)), event(2))
    assert [payload.keys for payload in payloads(plan(records))] == [b"", b""]
    recorded = payloads(Planner(PayloadLimits(), SendFilter(journal)).plan(records))
    assert [payload.keys for payload in recorded] == [document_key(records[0].data), event_keys([event(2)])]


@pytest.mark.parametrize(
    "odd",
    [event(2), b'{"id":7}', b'{"time":1e400}', b'{"time":123456789012345678901234567890}', rb'{"id":"\ud800"}', b"{}"],
)
def test_the_plan_keeps_of_events_what_the_journal_would_make_of_their_request(journal: Journal, odd: bytes) -> None:
    planner = Planner(PayloadLimits(), SendFilter(journal))
    (payload,) = payloads(planner.plan(batches(document(event(1), odd))))
    assert payload.kept in {b"", pack_events(msgspec.structs.replace(payload, kept=b""))}
    assert payload.kept or odd not in {event(2), b"{}"}
    (bare,) = payloads(plan(batches(document(event(1), odd))))
    assert bare.kept == b""


class Counting:
    """Rules that find all or nothing sound; how often they read a document is counted."""

    def __init__(self, *, finds_sound: bool) -> None:
        self.reads = 0
        self._finds_sound = finds_sound

    def fields_if_valid(self, document: bytes) -> Sequence[SentEvent] | None:
        self.reads += 1
        return journal_fields(document) if self._finds_sound else None

    def errors_of(self, _event: bytes) -> Sequence[Problem]:
        return []


@pytest.mark.parametrize("finds_sound", [True, False])
@pytest.mark.parametrize("limit", [1, 100])
def test_the_rules_read_a_document_once_and_their_reading_is_that_of_the_plan(
    journal: Journal, finds_sound: bool, limit: int
) -> None:
    check = Counting(finds_sound=finds_sound)
    checked = Planner(PayloadLimits(events=limit), SendFilter(journal, check=check))
    unchecked = Planner(PayloadLimits(events=limit), SendFilter(journal))
    data = document(event(1), event(2))
    assert list(checked.plan(batches(data))) == list(unchecked.plan(batches(data)))
    assert check.reads == 1
