"""A whole run in this process: what arrives, what is kept, and what the next run makes of it."""

import json
import os
import resource
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import ExitCode, InputError, OutputError, UsageError
from td_currents_cli.journal.events import SentEvent
from td_currents_cli.journal.writer import GROUP
from td_currents_cli.model import Code, Location, Problem, Record
from td_currents_cli.read import records
from td_currents_cli.send import (
    Destination,
    PayloadLimits,
    SendOutcome,
    SendRequest,
    StateOptions,
    command,
    run,
    run_connection_test,
)
from td_currents_cli.send.concurrency import concurrency_of
from td_currents_cli.send.prefilter import journal_fields
from tests.scripted import Scripted, letters, write

KEY = "1/0123456789abcdef0123456789abcdef01234567"
Send = Callable[..., SendOutcome]


def event(number: int, **members: object) -> dict[str, object]:
    return {"event_type": "t", "id": f"e{number}", **members}


def ids(events: Sequence[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in events]


class NoOdd:
    """Rules that find something in events whose `odd` is set; how often they were asked is counted."""

    def __init__(self) -> None:
        self.asked = 0

    def fields_if_valid(self, document: bytes) -> Sequence[SentEvent] | None:
        return None if b'"odd"' in document else journal_fields(document)

    def errors_of(self, event: bytes) -> Sequence[Problem]:
        self.asked += 1
        problem = Problem(code=Code.TIME_MISSING, location=Location("<event>"), message="it is odd", pointer="/odd")
        return [problem] if b'"odd": true' in event else []


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    return write(tmp_path / "p.jsonl", *({"events": [event(10 * n + i) for i in range(10)]} for n in range(3)))


@pytest.fixture
def send(scripted: Scripted) -> Send:
    def to_its_end(*paths: Path, key: str = KEY, **changes: Any) -> SendOutcome:
        limits = PayloadLimits(**{name: changes.pop(name) for name in ("events", "size", "repack") if name in changes})
        state = StateOptions(
            **{name: changes.pop(name) for name in StateOptions.__dataclass_fields__ if name in changes}
        )
        request = SendRequest(
            paths=tuple(map(str, paths)),
            destination=Destination(url=changes.pop("url", scripted.url)),
            limits=limits,
            state=state,
            concurrency=concurrency_of("1"),
            **changes,
        )
        outcome = run(request, environ={"TD_WRITE_KEY": key})
        assert outcome.is_balanced
        return outcome

    return to_its_end


@pytest.mark.parametrize(
    "limits", [{}, {"events": 3}, {"size": 200}, {"repack": True}, {"repack": True, "events": 7}], ids=str
)
def test_the_same_command_again_sends_nothing_unless_it_is_told_to(
    send: Send, scripted: Scripted, payloads: Path, limits: dict[str, Any]
) -> None:
    """Also with other limits."""
    first, second = send(payloads), send(payloads, **limits)
    assert (first.delivered, first.already_delivered, first.exit_code) == (30, 0, ExitCode.OK)
    assert (second.delivered, second.already_delivered, second.exit_code) == (0, 30, ExitCode.OK)
    assert len(scripted.bodies) == 3
    assert send(payloads, resend=True, **limits).delivered == 30
    unrecorded = send(payloads, no_journal=True, **limits)
    assert (unrecorded.delivered, unrecorded.journal) == (30, None)
    assert send(payloads).already_delivered == 30


def test_the_same_content_twice_is_sent_twice_and_not_again(send: Send, scripted: Scripted, tmp_path: Path) -> None:
    document = {"events": [event(1), event(2)]}
    file = write(tmp_path / "p.jsonl", document, document, event(3), event(3))
    assert send(file).delivered == 6
    assert send(file).already_delivered == 6
    outcome = send(file, write(tmp_path / "q.jsonl", document, event(3)))
    assert (outcome.delivered, outcome.already_delivered) == (3, 6)
    assert sorted(ids(scripted.events)) == ["e1"] * 3 + ["e2"] * 3 + ["e3"] * 3


def test_a_file_of_events_that_has_grown(send: Send, scripted: Scripted, tmp_path: Path) -> None:
    send(write(tmp_path / "p.jsonl", *(event(number) for number in range(5))))
    outcome = send(write(tmp_path / "p.jsonl", *(event(number) for number in range(8))))
    assert (outcome.delivered, outcome.already_delivered, outcome.requests) == (3, 5, 1)
    assert ids(json.loads(scripted.bodies[1])["events"]) == ["e5", "e6", "e7"]


def test_what_was_refused_is_sent_again_and_what_was_delivered_with_it_is_not(
    send: Send, scripted: Scripted, payloads: Path
) -> None:
    scripted.answer = lambda body: 400 if b'"e14"' in body else 200
    first = send(payloads)
    assert (first.delivered, first.dead, first.splits, first.exit_code) == (29, 1, 1, ExitCode.INCOMPLETE)
    assert first.requests == 3 + 10
    (letter,) = letters(first.dead_letter)
    assert (letter["event"], letter["status"], letter["response"]) == (event(14), 400, "refused")
    assert (letter["source"], letter["line"], letter["event_index"]) == (str(payloads), 2, 4)
    second = send(payloads)
    assert (second.already_delivered, second.dead, second.requests) == (29, 1, 3)  # with the connection test
    assert len(letters(second.dead_letter)) == 1
    scripted.answer = lambda _: 200
    third = send(payloads)
    assert (third.already_delivered, third.delivered, third.exit_code) == (29, 1, ExitCode.OK)
    assert sorted(ids(scripted.events)) == sorted(f"e{number}" for number in range(30))


def test_a_dead_letter_that_was_sent_is_delivered_for_the_first_command_too(
    send: Send, scripted: Scripted, payloads: Path
) -> None:
    scripted.answer = lambda body: 400 if b'"e7"' in body or b'"e21"' in body else 200
    dead = send(payloads).dead_letter
    scripted.answer = lambda _: 200
    assert dead is not None
    outcome = send(dead)
    assert (outcome.read, outcome.delivered, outcome.requests) == (2, 2, 1)
    again = send(payloads)
    assert (again.already_delivered, again.delivered, again.exit_code) == (30, 0, ExitCode.OK)


def test_sending_dead_letters_in_vain_does_not_make_the_file_grow(
    send: Send, scripted: Scripted, payloads: Path
) -> None:
    scripted.answer = lambda body: 400 if b'"e7"' in body else 200
    dead = send(payloads).dead_letter
    assert dead is not None
    before = dead.read_bytes()
    outcome = send(dead)
    assert (outcome.dead, outcome.exit_code) == (1, ExitCode.INCOMPLETE)
    assert not outcome.resume, "the same command would not deliver more"
    assert dead.read_bytes() == before


def test_a_run_that_reads_the_dead_letters_it_writes_comes_to_an_end(
    send: Send, scripted: Scripted, payloads: Path, tmp_path: Path
) -> None:
    scripted.answer = lambda body: 400 if b'"e7"' in body else 200
    dead = send(payloads, dead_letter=tmp_path / "dead").dead_letter
    assert dead is not None
    elsewhere = f"http://127.0.0.1:{scripted.port}/elsewhere"
    scripted.answer = lambda body: 400 if b'"e7"' in body or b'"e8"' in body else 200
    assert send(payloads, dead, dead_letter=dead, url=elsewhere).dead >= 2
    assert sorted(letter["event"]["id"] for letter in letters(send(dead, dead_letter=dead).dead_letter)) == ["e7", "e8"]


def test_a_document_that_is_too_large_for_the_endpoint_arrives_in_halves(
    send: Send, scripted: Scripted, payloads: Path
) -> None:
    large = write(payloads.with_name("l.jsonl"), {"events": [event(1), event(2, x="x" * 600), event(3)]})
    scripted.answer = lambda body: 413 if len(body) > 300 else 200
    outcome = send(payloads, large)
    assert (outcome.delivered, outcome.dead) == (32, 1)
    assert ids(scripted.events) == [f"e{number}" for number in range(30)] + ["e1", "e3"]
    (letter,) = letters(outcome.dead_letter)
    assert (letter["event"]["id"], letter["status"]) == ("e2", 413)


def test_an_event_over_the_limit_is_a_dead_letter_without_a_request(
    send: Send, scripted: Scripted, tmp_path: Path
) -> None:
    file = write(tmp_path / "p.jsonl", {"events": [event(1), event(2, x="x" * 300), event(3)]})
    outcome = send(file, size=200)
    assert (outcome.delivered, outcome.dead, outcome.splits) == (2, 1, 0)
    (letter,) = letters(outcome.dead_letter)
    assert (letter["status"], letter["attempts"], letter["event_index"]) == (None, 0, 1)
    assert letter["reason"].startswith(Code.EVENT_TOO_LARGE)


def test_what_the_rules_refuse_is_not_sent_and_the_rest_is(send: Send, scripted: Scripted, tmp_path: Path) -> None:
    file = write(
        tmp_path / "p.jsonl",
        {"events": [event(1), event(2, odd=True), event(3, odd=False)]},
        {"events": [event(4)]},
        {"events": [event(5, odd=False)]},
        event(6, odd=True),
    )
    rules = NoOdd()
    outcome = send(file, check=rules)
    assert (outcome.delivered, outcome.dead, outcome.exit_code) == (4, 2, ExitCode.INCOMPLETE)
    assert rules.asked == 5
    assert scripted.bodies[1:] == [line.encode() for line in file.read_text().splitlines()[1:3]]
    first, second = letters(outcome.dead_letter)
    assert first["reason"] == "TDC106 it is odd"
    assert first["findings"] == [{"code": "TDC106", "pointer": "/odd", "message": "it is odd"}]
    assert (first["line"], first["event_index"], second["line"], second["event_index"]) == (1, 1, 4, 0)
    column = file.read_text().index('{"event_type": "t", "id": "e2"') + 1
    assert [(str(each.location), each.event_index, each.pointer) for each in outcome.problems.kept] == [
        (f"{file}:1:{column}", 1, "/events/1/odd"),
        (f"{file}:4:1", 0, "/odd"),
    ]
    assert send(file).delivered == 2
    assert sorted(ids(scripted.events)) == [f"e{number}" for number in range(1, 7)]
    assert send(write(file, {"events": [event(7)]}), check=rules).delivered == 1
    assert rules.asked == 5


@pytest.mark.parametrize(
    ("queries", "keys", "delivered"),
    [
        (("", ""), (KEY, KEY[:-1] + "f"), 30),
        (("", f"?td_write_key={KEY.replace('/', '%2F')}"), (KEY, KEY), 0),
        (("?tenant=a", "?tenant=b"), (KEY, KEY), 30),
    ],
    ids=["another key", "the same key in the URL", "another value of the query"],
)
def test_endpoints_are_distinguished_by_url_and_key(
    send: Send, scripted: Scripted, payloads: Path, *, queries: list[str], keys: list[str], delivered: int
) -> None:
    first, second = (
        send(payloads, url=scripted.url + query, key=key) for query, key in zip(queries, keys, strict=True)
    )
    assert (first.delivered, second.delivered) == (30, delivered)
    assert any("another key" in warning for warning in second.warnings) is (keys[0] != keys[1])


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/hook%2Fa//b/../c%20d?key=%2F%2f+%20~!*'();:@&=", None),
        ("/hook?", None),
        ("/100%zz?%", None),
        ("", "/"),
        ("?a=%2f#", "/?a=%2f"),
        ("/é%C3%A9?ü", "/%C3%A9%C3%A9?%C3%BC"),
        ("/postback/v3/event/d_b/t_b?a=1%2F2", None),
    ],
)
def test_the_url_arrives_as_it_was_given(
    send: Send, scripted: Scripted, payloads: Path, given: str, sent: str | None
) -> None:
    """`%2F` and `/` may be different things to an endpoint. Only what HTTP cannot transmit is encoded."""
    url = f"http://127.0.0.1:{scripted.port}{given}"
    assert send(payloads, url=url).delivered == 30
    run_connection_test(Destination(url=url), timeout=5, environ={})
    *by_send, test = [head.splitlines()[0] for head in scripted.heads]
    assert set(by_send) == {test} == {f"POST {given if sent is None else sent} HTTP/1.1"}


def test_a_stop_keeps_what_was_delivered(send: Send, scripted: Scripted, payloads: Path) -> None:
    scripted.answer = lambda body: 401 if b'"e20"' in body else 200
    outcome = send(payloads)
    assert (outcome.delivered, outcome.undelivered, outcome.exit_code) == (20, 10, ExitCode.REFUSED)
    assert "Fix that and run the command again; delivered events are skipped" in outcome.resume
    assert str(outcome.journal) in outcome.resume
    scripted.answer = lambda _: 200
    assert send(payloads).delivered == 10


def test_a_journal_that_fails_in_the_middle_stops_the_run_with_its_figures(
    send: Send, scripted: Scripted, tmp_path: Path
) -> None:
    file = write(tmp_path / "p.jsonl", *({"events": [event(number)]} for number in range(400)))
    journal = tmp_path / "journal"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_up(body: bytes) -> int:
        if b'"e100"' in body:
            size = (tmp_path / "journal-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
        return 200

    scripted.answer = fill_up
    try:
        outcome = send(file, journal=journal)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert outcome.exit_code is ExitCode.IO
    assert outcome.error is not None
    assert str(journal) in outcome.error.message
    assert 100 < outcome.delivered <= 100 + GROUP + 1
    assert outcome.undelivered == outcome.read - outcome.delivered > 0
    scripted.answer = lambda _: 200
    again = send(file, journal=journal)
    assert (again.exit_code, again.read) == (ExitCode.OK, 400)
    assert again.already_delivered >= GROUP
    assert {each["id"] for each in scripted.events} == {f"e{number}" for number in range(400)}


def test_dead_letters_that_cannot_be_written_stop_the_run(send: Send, scripted: Scripted, payloads: Path) -> None:
    scripted.answer = lambda body: 200 if body == EMPTY_PAYLOAD else 400
    outcome = send(payloads, dead_letter=Path("/dev/full"))
    assert (outcome.dead, outcome.undelivered, outcome.exit_code) == (0, outcome.read, ExitCode.IO)
    assert outcome.error is not None
    assert "no space left" in outcome.error.message


@pytest.mark.parametrize("name", ["journal", "dead_letter"])
def test_files_that_cannot_be_written_are_detected_before_the_first_request(
    send: Send, scripted: Scripted, payloads: Path, name: str
) -> None:
    with pytest.raises(OutputError, match=str(payloads)):
        send(payloads, **{name: payloads})
    assert scripted.bodies == []


def test_the_journal_may_be_named_in_the_environment(scripted: Scripted, payloads: Path, tmp_path: Path) -> None:
    scripted.answer = lambda body: 200 if body == EMPTY_PAYLOAD else 400
    environ = {"TD_WRITE_KEY": KEY, "TDCUR_JOURNAL": str(tmp_path / "from-environment")}
    for state, journal in (
        (StateOptions(), tmp_path / "from-environment"),
        (StateOptions(journal=tmp_path / "flag"), tmp_path / "flag"),
        (StateOptions(no_journal=True), None),
    ):
        request = SendRequest(paths=(str(payloads),), destination=Destination(url=scripted.url), state=state)
        outcome = run(request, environ=environ)
        assert outcome.journal == journal
        assert outcome.dead_letter is not None
        assert outcome.dead_letter.is_file()
        assert journal is None or outcome.dead_letter.parent == journal.parent
    for options, message in (
        ({"no_journal": True}, "cannot be used together"),
        ({"dead_letter": Path("j")}, "same file"),
    ):
        state = StateOptions(journal=Path("j"), **options)
        with pytest.raises(UsageError, match=message):
            run(SendRequest(destination=Destination(url=scripted.url), state=state), environ=environ)


def test_the_state_folder_is_its_owners(send: Send, payloads: Path, state_home: Path) -> None:
    journal = send(payloads).journal
    assert journal is not None
    assert journal.is_relative_to(state_home)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (journal.parent, journal.parent.parent)} == {0o700}


def test_a_dry_run_shows_what_would_happen_and_creates_nothing(
    send: Send, scripted: Scripted, tmp_path: Path, state_home: Path
) -> None:
    old = write(tmp_path / "old.jsonl", {"events": [event(1), event(2)]})
    file = write(tmp_path / "p.jsonl", {"events": [event(1), event(2)]}, {"events": [event(3, odd=True), event(4)]})
    outcome = send(file, check=NoOdd(), dry_run=True)
    assert (outcome.already_delivered, outcome.dead, outcome.undelivered) == (0, 1, 3)
    assert list(state_home.iterdir()) == []
    send(old)
    for key in (KEY, ""):
        outcome = send(file, check=NoOdd(), dry_run=True, key=key)
        assert (outcome.read, outcome.already_delivered, outcome.dead, outcome.undelivered) == (4, 2, 1, 1)
        assert (outcome.requests, outcome.exit_code) == (1, ExitCode.INCOMPLETE)
    assert len(scripted.bodies) == 1
    assert list(state_home.rglob("*dead*")) == []


def test_the_first_request_of_a_dry_run_can_be_made_with_curl(
    send: Send, scripted: Scripted, payloads: Path, tmp_path: Path
) -> None:
    odd_name = payloads.rename(tmp_path / "it's $HOME.jsonl")
    odd_name.write_text(" \n" + odd_name.read_text())
    command = send(odd_name, dry_run=True).first_request
    assert command is not None
    assert KEY not in command
    subprocess.run(["bash", "-c", command], check=True, env={**os.environ, "TD_WRITE_KEY": KEY}, capture_output=True)
    assert scripted.bodies == [odd_name.read_bytes().splitlines()[1]]
    packed = send(write(tmp_path / "bare.jsonl", event(1), event(2)), dry_run=True).first_request
    assert packed is not None
    assert "2 events" in packed
    assert "bare.jsonl:1" in packed


def test_possible_duplicates_come_with_the_query_that_leaves_them_out(
    send: Send, scripted: Scripted, payloads: Path
) -> None:
    statuses = iter([504, *[200] * 9])
    scripted.answer = lambda _: next(statuses)
    outcome = send(payloads)
    assert outcome.unknown == tuple(f"e{number}" for number in range(10))
    query = outcome.summary()["deduplicate_sql"]
    assert isinstance(query, str)
    assert "FROM braze.currents" in query
    assert send(payloads).summary()["deduplicate_sql"] is None


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ZeroDivisionError("payload content"), ExitCode.DEFECT, "internal error in tdcur: ZeroDivisionError in"),
        (InputError("the disk is gone"), ExitCode.IO, "the disk is gone"),
    ],
)
def test_an_error_in_the_middle_does_not_hide_what_was_delivered(
    send: Send, payloads: Path, *, monkeypatch: pytest.MonkeyPatch, error: Exception, code: ExitCode, message: str
) -> None:
    def broken(*arguments: Any) -> Iterator[Record]:
        yield from islice(records(*arguments), 2)
        raise error

    monkeypatch.setattr(command, "records", broken)
    outcome = send(payloads)
    assert (outcome.exit_code, outcome.delivered, outcome.input_exhausted) == (code, 20, False)
    assert outcome.error is not None
    assert message in outcome.error.message
    assert "payload content" not in outcome.error.message


def test_a_refused_run_is_not_told_to_run_the_same_command_again(
    send: Send, scripted: Scripted, payloads: Path
) -> None:
    scripted.answer = lambda _: 403
    outcome = send(payloads, key="")
    assert outcome.resume == ""
    assert outcome.error is not None
    assert "TD_WRITE_KEY" in outcome.error.hint


def test_a_web_page_is_a_warning(send: Send, scripted: Scripted, payloads: Path) -> None:
    scripted.content_type = "text/html; charset=utf-8"
    outcome = send(payloads)
    assert (outcome.delivered, outcome.exit_code) == (30, ExitCode.OK)
    (warning,) = outcome.warnings
    assert "web page (text/html)" in warning
