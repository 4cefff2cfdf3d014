"""What is stored is what was sent, whatever the limits, the shapes, the answers, and however often it was begun."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_currents_cli.send import Destination, PayloadLimits, SendOutcome, SendRequest, StateOptions, run
from td_currents_cli.send.concurrency import concurrency_of
from td_currents_cli.serve import Receiver, ServeSettings

SPACES: Final = st.sampled_from(["", " ", "\n", "\t "])
# What re-encoding would change: number texts, escapes, order and repetition of names, spaces between tokens.
VALUES: Final = st.sampled_from(
    [
        "1.0",
        "12345678901234567890",
        "3.140000104904175",
        "1E5",
        '"\\u00e9"',
        '"é"',
        '"\\/"',
        "[ 1 ,2]",
        '{"b":1,"a":{}}',
    ]
)
EVENTS: Final = st.builds(
    '{{"event_type":{0}"t","id":"{1}",{0}"x":{2}{0}}}'.format, SPACES, st.integers(0, 30), VALUES
)  # fmt: skip
DOCUMENTS: Final = st.lists(
    st.tuples(st.sampled_from(["payload", "members", "bare", "row"]), SPACES, st.lists(EVENTS, min_size=1, max_size=6)),
    min_size=1,
    max_size=6,
)
LIMITS: Final = st.builds(PayloadLimits, events=st.integers(1, 8), size=st.integers(150, 600), repack=st.booleans())


def text_of(shape: str, space: str, events: list[str]) -> str:
    array = f"[{space}" + f"{space},".join(events) + "]"
    if shape == "payload":
        return f'{{{space}"events":{array}}}\n'
    if shape == "members":
        return f'{{"source":{space}"braze","events":{array}}}\n'
    if shape == "row":
        return json.dumps({"time": 1, "events": array}) + "\n"
    return "".join(f"{event}\n" for event in events)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A real endpoint for all examples, each of which has a table of its own."""
    with Receiver(ServeSettings(store=tmp_path_factory.mktemp("send") / "rows.jsonl")) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("send")


def stored(receiver: Receiver, since: int) -> list[list[bytes]]:
    """The events of each row beyond the first so many bytes of the store, byte for byte."""
    rows = receiver.store.read_bytes()[since:].splitlines()
    arrays = [msgspec.json.decode(row, type=dict[str, msgspec.Raw])["events"] for row in rows]
    return [list(map(bytes, msgspec.json.decode(json.loads(bytes(array)), type=list[msgspec.Raw]))) for array in arrays]


def send(receiver: Receiver, file: Path, limits: PayloadLimits, journal: Path | None, concurrency: int) -> SendOutcome:
    request = SendRequest(
        paths=(str(file),),
        destination=Destination(url=receiver.url("braze", "currents")),
        limits=limits,
        state=StateOptions(journal=journal, no_journal=journal is None, dead_letter=file.with_suffix(".dead")),
        concurrency=concurrency_of(str(concurrency)),
    )
    outcome = run(request, environ={"TD_WRITE_KEY": "1/0123456789abcdef0123456789abcdef01234567"})
    assert outcome.is_balanced
    return outcome


@settings(max_examples=40, deadline=None)
@given(documents=DOCUMENTS, limits=LIMITS, concurrency=st.sampled_from([1, 4]))
def test_the_stored_events_are_the_sent_ones_byte_for_byte(
    receiver: Receiver,
    folder: Path,
    documents: list[tuple[str, str, list[str]]],
    limits: PayloadLimits,
    concurrency: int,
) -> None:
    file = folder / "p.jsonl"
    file.write_text("".join(text_of(*document) for document in documents), encoding="utf-8")
    before = receiver.store.stat().st_size
    outcome = send(receiver, file, limits, None, concurrency)
    rows = stored(receiver, before)
    read = [event.encode() for _, _, events in documents for event in events]
    assert outcome.delivered == len(read)
    assert Counter(event for row in rows for event in row) == Counter(read)
    assert all(len(row) <= limits.events for row in rows)
    if concurrency == 1:
        assert [event for row in rows for event in row] == read


@settings(max_examples=40, deadline=None)
@given(documents=DOCUMENTS, cut=st.integers(0, 6), limits=st.lists(LIMITS, min_size=2, max_size=3))
def test_however_often_it_is_started_every_event_is_stored_once(
    receiver: Receiver, folder: Path, documents: list[tuple[str, str, list[str]]], cut: int, limits: list[PayloadLimits]
) -> None:
    file, journal = folder / "p.jsonl", folder / "journal"
    journal.unlink(missing_ok=True)
    before = receiver.store.stat().st_size
    read = [event.encode() for _, _, events in documents for event in events]
    for number, limit in enumerate(limits):
        part = documents[:cut] if number == 0 else documents
        file.write_text("".join(text_of(*document) for document in part), encoding="utf-8")
        outcome = send(receiver, file, limit, journal, 2)
        assert outcome.delivered + outcome.already_delivered == outcome.read
    assert Counter(event for row in stored(receiver, before) for event in row) == Counter(read)
    assert outcome.read == len(read)
