"""One event that an endpoint does not take, among many that it does: a real endpoint, a real process."""

import json
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.generate import GenerateRequest
from td_currents_cli.generate.command import lines
from td_currents_cli.serve import Receiver, RequestResult, ServeSettings
from tests.command import tdcur

LIMIT = 1_048_064


@pytest.fixture
def events() -> list[bytes]:
    (document,) = lines(GenerateRequest(events=100))
    return [json.dumps(event).encode() for event in json.loads(document)["events"]]


def with_note(event: bytes, note: str) -> bytes:
    return event[:-1] + b', "note": "' + note.encode() + b'"}'


def send(receiver: Receiver, folder: Path, events: list[bytes], *options: str) -> tuple[int, dict[str, Any]]:
    source = folder / "payloads.json"
    source.write_bytes(b'{"events":[' + b",".join(events) + b"]}")
    return run(receiver, folder, source, *options)


def run(receiver: Receiver, folder: Path, source: Path, *options: str) -> tuple[int, dict[str, Any]]:
    (folder / "key").write_text("1/0123456789abcdef0123456789abcdef01234567")
    files = (
        "--journal",
        folder / "journal",
        "--dead-letter",
        folder / "dead.jsonl",
        "--write-key-file",
        folder / "key",
    )
    command = [*files, "--url", receiver.url("braze", "currents"), "--format", "json", *options, source]
    done = tdcur("send", *command)
    summary: dict[str, Any] = json.loads(done.stdout)["summary"]
    return done.returncode, summary


def stored(store: Path) -> list[bytes]:
    rows = [json.loads(line)["events"] for line in store.read_text("utf-8").splitlines()]
    decoder = json.JSONDecoder()
    events: list[bytes] = []
    for row in rows:
        place = 1
        while place < len(row):
            _, end = decoder.raw_decode(row, place)
            events.append(row[place:end].encode())
            place = end + 1
    return sorted(events)


def dead_letters(folder: Path) -> list[tuple[int | None, bytes]]:
    lines = (folder / "dead.jsonl").read_bytes().splitlines()
    return [(json.loads(line)["status"], line[line.index(b',"event":') + 9 : -1]) for line in lines]


@pytest.mark.parametrize("place", [0, 57, 99])
def test_a_poisonous_event_is_the_only_one_refused(
    tmp_path: Path, events: list[bytes], poisoned: Any, place: int
) -> None:
    events[place] = with_note(events[place], "poison")
    store = tmp_path / "rows.jsonl"
    with Receiver(ServeSettings(store=store), layer=poisoned) as receiver:
        code, summary = send(receiver, tmp_path, events)
        assert (code, summary["delivered"], summary["dead"], summary["splits"]) == (3, 99, 1, 1)
        assert stored(store) == sorted(events[:place] + events[place + 1 :])
        assert dead_letters(tmp_path) == [(400, events[place])]
    again = tmp_path / "again.jsonl"
    (tmp_path / "dead.jsonl").rename(again)
    with Receiver(ServeSettings(store=store, port=receiver.port)) as receiver:
        code, summary = run(receiver, tmp_path, again)
    assert (code, summary["delivered"], summary["dead"]) == (0, 1, 0)
    assert stored(store) == sorted(events)


def test_an_oversize_event_is_the_only_one_refused(tmp_path: Path, events: list[bytes]) -> None:
    events[42] = with_note(events[42], "x" * LIMIT)
    store = tmp_path / "rows.jsonl"
    with Receiver(ServeSettings(store=store)) as receiver:
        code, summary = send(receiver, tmp_path, events, "--batch-bytes", "4000000", "--no-check")
    assert (code, summary["delivered"], summary["dead"]) == (3, 99, 1)
    assert stored(store) == sorted(events[:42] + events[43:])
    assert dead_letters(tmp_path) == [(413, events[42])]
    # Halving finds one of a hundred in seven steps.
    assert summary["splits"] <= 7
    assert receiver.stats.by_result[RequestResult.REFUSED] <= 8


def test_an_event_larger_than_the_limit_is_not_even_tried(tmp_path: Path, events: list[bytes]) -> None:
    events[42] = with_note(events[42], "x" * LIMIT)
    store = tmp_path / "rows.jsonl"
    with Receiver(ServeSettings(store=store)) as receiver:
        code, summary = send(receiver, tmp_path, events)
    assert (code, summary["delivered"], summary["dead"], summary["splits"]) == (3, 99, 1, 0)
    assert stored(store) == sorted(events[:42] + events[43:])
    assert dead_letters(tmp_path) == [(None, events[42])]
    assert receiver.stats.by_status == {200: receiver.stats.requests}
