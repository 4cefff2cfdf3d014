"""One event that an endpoint does not take, among many that it does: a real endpoint, a real process."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from td_currents_cli.generate import GenerateRequest
from td_currents_cli.generate.command import lines
from td_currents_cli.serve import Receiver, RequestResult, ServeSettings
from tests.command import PLAIN, tdcur_text
from tests.scripted import Scripted, Sent, send

CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture
def events() -> list[bytes]:
    (document,) = lines(GenerateRequest(events=100))
    return [json.dumps(event).encode() for event in json.loads(document)["events"]]


def with_note(event: bytes, note: str) -> bytes:
    return event[:-1] + b', "note": "' + note.encode() + b'"}'


def sent(receiver: Receiver, source: Path, events: list[bytes] | None, *options: str) -> Sent:
    """Send a file, which is written where there are events, with the journal and the dead letters beside it."""
    if events is not None:
        source.write_bytes(b'{"events":[' + b",".join(events) + b"]}")
    files = ("--journal", source.with_name("journal"), "--dead-letter", source.with_name("dead.jsonl"))
    url = receiver.url("braze", "currents")
    # The transport warns of large bodies, with a ResourceWarning.
    return send(source, *files, "--url", url, "--format", "json", *options, PYTHONWARNINGS="")


def stored(store: Path) -> list[bytes]:
    rows = [json.loads(line)["events"] for line in store.read_text("utf-8").splitlines()]
    return sorted(bytes(event) for row in rows for event in msgspec.json.decode(row, type=list[msgspec.Raw]))


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
        first = sent(receiver, tmp_path / "payloads.json", events)
        summary = first.summary
        assert (first.code, summary["delivered"], summary["dead"], summary["splits"]) == (3, 99, 1, 1)
        assert stored(store) == sorted(events[:place] + events[place + 1 :])
        assert dead_letters(tmp_path) == [(400, events[place])]
    again = (tmp_path / "dead.jsonl").rename(tmp_path / "again.jsonl")
    with Receiver(ServeSettings(store=store, port=receiver.port)) as receiver:
        second = sent(receiver, again, None)
    assert (second.code, second.summary["delivered"], second.summary["dead"]) == (0, 1, 0)
    assert stored(store) == sorted(events)


# Halving finds one of a hundred in seven steps.
@pytest.mark.parametrize(
    ("options", "status", "most_splits"), [(("--batch-bytes", "4000000", "--no-check"), 413, 7), ((), None, 0)]
)
def test_an_event_that_is_too_large_is_the_only_one_that_is_not_delivered(
    tmp_path: Path, events: list[bytes], options: tuple[str, ...], status: int | None, most_splits: int
) -> None:
    """For the endpoint; or for the limit, and then it is not even tried."""
    events[42] = with_note(events[42], "x" * 1_048_064)
    store = tmp_path / "rows.jsonl"
    with Receiver(ServeSettings(store=store)) as receiver:
        result = sent(receiver, tmp_path / "payloads.json", events, *options)
    assert (result.code, result.summary["delivered"], result.summary["dead"]) == (3, 99, 1)
    assert stored(store) == sorted(events[:42] + events[43:])
    assert dead_letters(tmp_path) == [(status, events[42])]
    assert result.summary["splits"] <= most_splits
    assert receiver.stats.by_result[RequestResult.REFUSED] <= most_splits + bool(most_splits)


@pytest.mark.parametrize("status", [400, 413])
def test_an_endpoint_that_refuses_everything_leaves_no_dead_letters(
    tmp_path: Path, scripted: Scripted, status: int
) -> None:
    scripted.answer, scripted.text = lambda _: status, "The plain HTTP request was sent to HTTPS port"
    source = tmp_path / "payloads.jsonl"
    source.write_bytes(b"".join(lines(GenerateRequest(events=1500))))
    result = send(source, "--url", scripted.url, "--dead-letter", tmp_path / "dead", "--format", "json")
    assert (result.code, result.summary["dead"]) == (4, 0)
    assert result.summary["undelivered"] == result.summary["read"] > 0
    assert scripted.text in result.document["error"]["message"]
    assert len(scripted.bodies) < 300
    assert not (tmp_path / "dead").exists()


def test_events_of_a_truncated_cell(tmp_path: Path, scripted: Scripted, events: list[bytes]) -> None:
    cell = json.dumps([json.loads(events[0]), {"event_type": "x", "id": "1"}, json.loads(events[1])])[:-1]
    table = tmp_path / "torn.csv"
    table.write_text('time,events\n1,"' + (cell + ',{"event_t').replace('"', '""') + '"\n', encoding="utf-8")
    result = send(table, "--url", scripted.url, "--format", "json")
    assert (result.code, result.summary["delivered"], result.summary["dead"]) == (3, 2, 1)
    assert "TDC022" in [problem["code"] for problem in result.document["problems"]]
    assert [event["id"] for event in scripted.events] == [json.loads(event)["id"] for event in events[:2]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "--url", "http://127.0.0.1:9/x", "--no-check", Path("nothing.json")),
        ("reconcile", "--ingested", Path("nothing.json")),
        ("verify", "--ingested", "td://my_db/my_table"),
    ],
)
def test_a_damaged_journal_is_exit_6_in_every_verb(tmp_path: Path, arguments: tuple[object, ...]) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes((CASES / "journal_damaged.sqlite").read_bytes())
    (tmp_path / "nothing.json").write_text('{"events":[]}')
    given = [tmp_path / "nothing.json" if isinstance(each, Path) else each for each in arguments]
    done = tdcur_text(*given, "--journal", journal, env={**PLAIN, "TD_API_KEY": "1/x"})
    assert done.returncode == 6
    assert "journal is damaged" in " ".join(done.stderr.replace(str(journal), "").split())
    assert "hint: " in done.stderr


@pytest.mark.parametrize(
    ("text", "heading", "reason"),
    [
        ('{"events":[]}', "nothing new for", "the input has no events"),
        ('{"events":["payload-content"}', "nothing delivered to", "no events could be read (1 error)"),
    ],
)
def test_what_has_nothing_to_send_says_so_and_why(
    tmp_path: Path, scripted: Scripted, text: str, heading: str, reason: str
) -> None:
    """Nothing is called new only if everything could be read."""
    source = tmp_path / "payloads.json"
    source.write_text(text)
    assert send(source, "--url", scripted.url).out.startswith(heading)
    dry = send(source, "--url", scripted.url, "--dry-run")
    assert dry.out.startswith("would send nothing to")
    assert dry.err.splitlines()[-1] == f"Nothing would be sent: {reason}."
    assert scripted.bodies == []


@pytest.mark.parametrize(("options", "code", "count"), [((), 2, 0), (("--lossy",), 0, 2)])
def test_rows_of_the_streaming_connector(
    tmp_path: Path, scripted: Scripted, options: tuple[str, ...], code: int, count: int
) -> None:
    rows = tmp_path / "rows.jsonl"
    row = {"time": 1782910000, "event_type": "users.messages.email.Open", "user_external_user_id": "e"}
    text = [json.dumps({**row, "id": number, "properties_is_amp": "true"}) + "\n" for number in "12"]
    rows.write_text("".join(text), encoding="utf-8")
    result = send(rows, "--no-check", "--url", scripted.url, *options)
    assert (result.code, len(scripted.events)) == (code, count)
    assert all(event["properties"]["is_amp"] is True for event in scripted.events)
    assert ("--lossy" in result.err) is (code == 2)
