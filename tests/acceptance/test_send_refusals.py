"""One event that an endpoint does not take, among many that it does: a real endpoint, a real process."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.generate import GenerateRequest
from td_currents_cli.generate.command import lines
from td_currents_cli.serve import Receiver, RequestResult, ServeSettings
from tests.command import PLAIN, tdcur, tdcur_text
from tests.scripted import Scripted

LIMIT = 1_048_064
WITH_KEY = {**PLAIN, "TD_WRITE_KEY": "1/0123456789abcdef0123456789abcdef01234567"}


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


URL = "http://127.0.0.1:9/postback/v3/event/my_db/my_table"
CASES = Path(__file__).parents[1] / "cases"
OPTIONS = ("--format", "json", "--no-journal", "--dead-letter")


@pytest.mark.parametrize("status", [400, 413])
def test_an_endpoint_that_refuses_everything_leaves_no_dead_letters(
    tmp_path: Path, scripted: Scripted, status: int
) -> None:
    scripted.answer, scripted.text = lambda _: status, "The plain HTTP request was sent to HTTPS port"
    source = tmp_path / "payloads.jsonl"
    source.write_bytes(b"".join(lines(GenerateRequest(events=1500))))
    done = tdcur("send", source, "--url", scripted.url, *OPTIONS, tmp_path / "dead", env=WITH_KEY)
    document = json.loads(done.stdout)
    assert (done.returncode, document["summary"]["dead"]) == (4, 0)
    assert document["summary"]["undelivered"] == document["summary"]["read"] > 0
    assert scripted.text in document["error"]["message"]
    assert len(scripted.bodies) < 300
    assert not (tmp_path / "dead").exists()


def test_events_of_a_truncated_cell(tmp_path: Path, scripted: Scripted, events: list[bytes]) -> None:
    cell = json.dumps([json.loads(events[0]), {"event_type": "x", "id": "1"}, json.loads(events[1])])[:-1]
    table = tmp_path / "torn.csv"
    table.write_text('time,events\n1,"' + (cell + ',{"event_t').replace('"', '""') + '"\n', encoding="utf-8")
    done = tdcur("send", table, "--url", scripted.url, *OPTIONS, tmp_path / "dead", env=WITH_KEY)
    summary = json.loads(done.stdout)["summary"]
    assert (done.returncode, summary["delivered"], summary["dead"], summary["undelivered"]) == (3, 2, 1, 0)
    assert "TDC022" in [problem["code"] for problem in json.loads(done.stdout)["problems"]]
    assert [event["id"] for event in scripted.events] == [json.loads(event)["id"] for event in events[:2]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "--url", URL, "--no-check", Path("nothing.json")),
        ("reconcile", "--ingested", Path("nothing.json")),
        ("verify", "--ingested", "td://my_db/my_table"),
    ],
)
def test_a_damaged_journal_is_exit_6_in_every_verb(tmp_path: Path, arguments: tuple[object, ...]) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes((CASES / "journal_damaged.sqlite").read_bytes())
    (tmp_path / "nothing.json").write_text('{"events":[]}')
    given = [tmp_path / "nothing.json" if isinstance(each, Path) else each for each in arguments]
    done = tdcur(*given, "--journal", journal, env={**WITH_KEY, "TD_API_KEY": "1/x"})
    assert done.returncode == 6
    assert b"journal is damaged" in b" ".join(done.stderr.replace(str(journal).encode(), b"").split())
    assert b"hint: " in done.stderr


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
    command = ("send", source, "--url", scripted.url, "--no-journal")
    assert tdcur_text(*command, env=WITH_KEY).stdout.startswith(heading)
    dry = tdcur_text(*command, "--dry-run", env=WITH_KEY)
    assert dry.stdout.startswith("would send nothing to")
    assert dry.stderr.splitlines()[-1] == f"Nothing would be sent: {reason}."
    assert "payload-content" not in dry.stdout + dry.stderr
    assert scripted.bodies == []


def test_a_closed_port_is_shown_while_it_is_retried(tmp_path: Path, events: list[bytes]) -> None:
    source = tmp_path / "payloads.json"
    source.write_bytes(events[0])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    done = tdcur_text("send", source, "--url", f"http://{address}/x", "--retry-for", "1s", "--no-journal", "--no-check")
    assert done.returncode == 5
    assert re.search(rf"^retrying (now|in \d+ s): connection refused \({address}\)", done.stderr, re.MULTILINE)
    assert f"last error: connection refused ({address})" in " ".join(done.stderr.split())


@pytest.mark.parametrize(("options", "code", "sent"), [((), 2, 0), (("--lossy",), 0, 2)])
def test_rows_of_the_streaming_connector(
    tmp_path: Path, scripted: Scripted, options: tuple[str, ...], code: int, sent: int
) -> None:
    rows = tmp_path / "rows.jsonl"
    row = {"time": 1782910000, "event_type": "users.messages.email.Open", "user_external_user_id": "e"}
    text = [json.dumps({**row, "id": number, "properties_is_amp": "true"}) + "\n" for number in "12"]
    rows.write_text("".join(text), encoding="utf-8")
    done = tdcur_text("send", rows, "--no-check", "--no-journal", "--url", scripted.url, *options, env=WITH_KEY)
    assert (done.returncode, len(scripted.events)) == (code, sent)
    assert all(event["properties"]["is_amp"] is True for event in scripted.events)
    assert ("--lossy" in done.stderr) is (code == 2)
