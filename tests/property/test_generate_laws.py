import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from td_currents_cli import catalog
from td_currents_cli.generate import GenerateFormat, GenerateRequest
from td_currents_cli.generate.command import lines
from td_currents_cli.generate.random_values import SeededRandom

NAMES = sorted(event.name for event in catalog.load().events.values() if event.http)

seeds = st.integers(-(2**63), 2**63)
requests = st.builds(
    GenerateRequest,
    events=st.integers(0, 250),
    seed=seeds,
    types=st.lists(st.sampled_from(NAMES), max_size=3).map(tuple),
    per_batch=st.integers(1, 120),
    start=st.integers(1_000_000_000, 4_000_000_000),
)


def arrays(request: GenerateRequest, shape: GenerateFormat) -> Iterator[list[dict[str, Any]]]:
    """The batches of a request, read back from a shape."""
    fields = {name: getattr(request, name) for name in ("events", "seed", "types", "per_batch", "start")}
    text = b"".join(lines(GenerateRequest(**fields, shape=shape))).decode()
    match shape:
        case GenerateFormat.payloads:
            yield from (json.loads(line)["events"] for line in text.split("\n")[:-1])
        case GenerateFormat.rows_jsonl:
            yield from (json.loads(json.loads(line)["events"]) for line in text.split("\n")[:-1])
        case GenerateFormat.rows_csv:
            yield from (json.loads(row["events"]) for row in csv.DictReader(io.StringIO(text, newline=""), strict=True))


@settings(deadline=None, max_examples=25)
@given(requests)
def test_all_shapes_hold_the_same_batches(request: GenerateRequest) -> None:
    """Rows as CSV and JSON Lines give back, event by event, what the payloads hold."""
    payloads = list(arrays(request, GenerateFormat.payloads))
    assert list(arrays(request, GenerateFormat.rows_csv)) == payloads
    assert list(arrays(request, GenerateFormat.rows_jsonl)) == payloads


@settings(deadline=None, max_examples=25)
@given(requests)
def test_there_are_as_many_events_as_asked_for(request: GenerateRequest) -> None:
    """Batches are full but for the last one, ids are unique, and only types asked for occur."""
    batches = list(arrays(request, GenerateFormat.payloads))
    sizes = [len(batch) for batch in batches]
    assert sum(sizes) == request.events
    assert all(size == request.per_batch for size in sizes[:-1])
    events = [event for batch in batches for event in batch]
    assert len({event["id"] for event in events}) == len(events)
    assert {event["event_type"] for event in events} <= set(request.types or NAMES)


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(0, 200), st.integers(0, 200), st.integers(1, 50), st.integers(1, 50))
def test_a_shorter_run_is_the_beginning_of_a_longer_one(seed: int, few: int, more: int, one: int, other: int) -> None:
    """The same seed gives the same bytes; neither the number of events nor the size of batches changes them."""
    short = GenerateRequest(events=few, seed=seed, per_batch=one)
    long = GenerateRequest(events=few + more, seed=seed, per_batch=other)
    events = [[e for batch in arrays(request, GenerateFormat.payloads) for e in batch] for request in (short, long)]
    assert json.dumps(events[1][:few]) == json.dumps(events[0])


@given(seeds, st.text(max_size=5), st.lists(st.integers(), max_size=8), st.integers(0, 8))
def test_some_takes_at_most_so_many_in_their_order(seed: int, purpose: str, items: list[int], most: int) -> None:
    numbered = list(enumerate(items))
    taken = SeededRandom(seed, purpose).some(numbered, most)
    assert len(taken) <= most
    assert taken == sorted(set(taken), key=lambda item: item[0])
    assert set(taken) <= set(numbered)


@given(seeds, st.integers(1, 10**6), st.integers(0, 80))
def test_draws_stay_in_their_range(seed: int, end: int, count: int) -> None:
    """Numbers are within their bounds, texts as long as asked for."""
    dice = SeededRandom(seed)
    assert 0 <= dice.below(end) < end
    assert 1 <= dice.between(1, end) <= end
    assert len(dice.hex(count)) == len(dice.digits(count)) == count
