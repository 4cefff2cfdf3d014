"""No key, no token and no e-mail address comes out anywhere, whatever goes wrong, with TDCUR_DEBUG=1 too."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.generate import GenerateRequest
from td_currents_cli.generate.command import lines
from td_currents_cli.render.serve import request_line
from td_currents_cli.serve import Receiver
from td_currents_cli.serve.app import Message
from tests.command import TDCUR, tdcur_text
from tests.loopback import layer_of
from tests.serving import Served

HEX = "5ec4e7" * 6 + "5ec4"
KEY = f"4711/{HEX}"
TOKEN = "t0ken-5ecret"  # noqa: S105 -- a mark
MAIL = "marked.person@example.com"
MARKS = (HEX, TOKEN, MAIL, MAIL.partition("@")[0])
PATH = "/postback/v3/event/braze/currents"

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    "TD_WRITE_KEY": KEY,
    "TDCUR_TOKEN": TOKEN,
    "TDCUR_DEBUG": "1",
}
TYPE = "users.behaviors.CustomEvent"

Run = Callable[..., int]


def with_key(url: str) -> str:
    """The URL with the key in it, as people copy it from the console."""
    return f"{url}?td_write_key={KEY.replace('/', '%2F')}"


def found(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text]


def without_event(dead_letter: str) -> str:
    """A line of a dead letter but for the event itself, which stands there unchanged."""
    members: dict[str, Any] = json.loads(dead_letter)
    del members["event"]
    return json.dumps(members)


WRONG_PLACES = (Path(__file__).parents[1] / "cases" / "secrets" / "wrong_places.txt").read_text("utf-8").splitlines()
"""Commands with a key where it does not belong."""


@pytest.mark.parametrize("line", WRONG_PLACES)
@pytest.mark.parametrize("key", [KEY, KEY.replace("/", "%2F")])
def test_a_key_in_the_wrong_place(tmp_path: Path, line: str, key: str) -> None:
    """In no option, argument or URL is it repeated, not even in the traceback."""
    payloads(tmp_path, {"events": good()}).rename(tmp_path / "sample")
    bad = tmp_path / "folder" / f"{key}.json"
    bad.parent.mkdir(parents=True)
    bad.write_text("[1]", encoding="utf-8")
    environment = {**ENVIRONMENT, "XDG_STATE_HOME": str(tmp_path), "COLUMNS": "60"}
    ended = tdcur_text(*line.replace("KEY", key).split(), cwd=tmp_path, env=environment)
    assert found(ended.stdout + ended.stderr) == []
    assert ended.returncode not in {-6, 70}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `tdcur send` to its exit code; nothing that it leaves behind may hold a mark."""

    def to_its_end(
        endpoint: Receiver | str,
        *arguments: object,
        stop: Callable[[], bool] = lambda: False,
        source: Path | None = None,
        number: int = signal.SIGTERM,
    ) -> int:
        source = source or payloads(tmp_path, {"events": good()})
        beside = ("--journal", tmp_path / "journal", "--dead-letter", tmp_path / "dead.jsonl", "--verbose")
        url = endpoint if isinstance(endpoint, str) else endpoint.url("braze", "currents")
        command = [*TDCUR, "send", source, "--url", with_key(url), *beside, *arguments]
        with subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        ) as process:
            while process.poll() is None:
                if stop():
                    process.send_signal(number)
                    break
                time.sleep(0.01)
            out, err = process.communicate(timeout=60)
        assert found(out) == found(err) == []
        dead = tmp_path / "dead.jsonl"
        if dead.is_file():
            assert found("".join(map(without_event, dead.read_text("utf-8").splitlines()))) == []
        for file in tmp_path.glob("journal*"):
            assert found(file.read_bytes().decode("latin-1")) == []
        return process.returncode

    return to_its_end


def good() -> list[dict[str, Any]]:
    """Events that keep all rules, of a marked person."""
    (document,) = lines(GenerateRequest(events=6, types=(TYPE,)))
    events: list[dict[str, Any]] = json.loads(document)["events"]
    for event in events:
        event["user"]["external_user_id"] = MAIL
    return events


def payloads(folder: Path, *documents: object) -> Path:
    path = folder / "payloads.jsonl"
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("fail", "code", "form"),
    [
        ("503=1", 5, "text"),
        ("429=1:0s", 5, "json"),
        ("400=1", 4, "text"),
        ("400=1", 4, "json"),
        ("413=1", 4, "text"),
        ("401=1", 4, "json"),
        ("403=1", 4, "text"),
        ("404=1", 4, "json"),
        ("302=1", 4, "text"),
        ("reset=1", 5, "json"),
        ("accept-then-reset=1", 5, "text"),
        ("slow=1:20s", 5, "text"),
        ("hang=1", 5, "json"),
    ],
)
def test_faults(run: Run, tmp_path: Path, fail: str, code: int, form: str) -> None:
    """Each fault ends the run with its code, and neither side says what was sent, nor with which credentials."""
    with Served(tmp_path / "rows.jsonl", fail) as receiver:
        assert run(receiver, "--retry-for", "300ms", "--timeout", "0.3", "--format", form) == code
    assert receiver.heard
    assert found("".join(map(request_line, receiver.heard))) == []
    # What was looked through is there.
    assert (tmp_path / "journal").is_file()
    assert MAIL in (tmp_path / "payloads.jsonl").read_text("utf-8")
    assert not (tmp_path / "dead.jsonl").exists()


def echo(scope: Message, body: bytes) -> bytes:
    return b"\n".join(b": ".join(header) for header in scope["headers"]) + body


def cut_within_the_key(*_: object) -> bytes:
    return b"".join(b"%030d@example.com " % number for number in range(23)) + KEY.encode()


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [(400, echo, 3), (403, echo, 4), (413, echo, 3), (500, echo, 5), (400, cut_within_the_key, 3)],
)
def test_an_endpoint_that_repeats_what_it_was_sent(
    run: Run, tmp_path: Path, status: int, text: Callable[[Message, bytes], bytes], code: int
) -> None:
    """An answer with the request in it is not passed on: not to the terminal, not into the dead letter.

    Nor is what is left of a key where an answer was cut off.
    """
    # A refusal of the connection test would be no refusal of the events.
    layer = layer_of(lambda scope, body: (200 if body == EMPTY_PAYLOAD else status, text(scope, body)))
    with Served(tmp_path / "rows.jsonl", layer=layer) as receiver:
        assert run(receiver, "--retry-for", "300ms") == code
    if code == 3:
        # What the marks are in gets where it belongs.
        letters = (tmp_path / "dead.jsonl").read_text("utf-8")
        assert MAIL in letters
        assert HEX[:8] not in "".join(map(without_event, letters.splitlines()))


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_url_for_braze_has_the_key_only_if_it_is_asked_for(form: str) -> None:
    """In text and JSON alike. No endpoint is needed: the URL is printed whatever the connection test finds."""
    url = "https://us01.records.in.treasuredata.com" + PATH
    environment = {**ENVIRONMENT, "HTTPS_PROXY": "http://127.0.0.1:1"}
    command = ("send", "--check-endpoint", "--url", url, "--format", form)
    hidden = tdcur_text(*command, env=environment)
    shown = tdcur_text(*command, "--show-key", env=environment)
    assert (hidden.returncode, shown.returncode) == (5, 5)
    assert f"{PATH}?td_write_key=***" in hidden.stdout
    assert found(hidden.stdout + hidden.stderr + shown.stderr) == []
    assert with_key(f"https://in.treasuredata.com{PATH}") in shown.stdout
    assert shown.stdout.count(HEX) == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_url_prints_the_key_only_if_it_is_asked_for(form: str) -> None:
    command = ("url", "--site", "ap01", "--database", "braze", "--table", "currents", "--format", form)
    hidden = tdcur_text(*command, env=ENVIRONMENT)
    shown = tdcur_text(*command, "--show-key", env=ENVIRONMENT)
    assert (hidden.returncode, shown.returncode) == (0, 0)
    assert f"https://tokyo.in.treasuredata.com{PATH}?td_write_key=***" in hidden.stdout
    assert ("--show-key prints it" in hidden.stderr) == (form == "text")
    assert found(hidden.stdout + hidden.stderr + shown.stderr) == []
    assert with_key(f"https://tokyo.in.treasuredata.com{PATH}") in shown.stdout
    assert shown.stdout.count(HEX) == 1


def test_nobody_there(run: Run) -> None:
    """A connection that is refused, a name without an address, a server that speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    for base in (f"http://127.0.0.1:{free}", f"https://127.0.0.1:{free}", "https://no-such-host.invalid"):
        assert run(base + PATH, "--retry-for", "300ms") == 5


@pytest.mark.parametrize(
    ("option", "name", "code"),
    [
        ("--journal", "payloads.jsonl", 6),
        ("--journal", "folder", 6),
        ("--dead-letter", "folder", 6),
        ("--write-key-file", "two-keys", 2),
        ("--token-file", "two-keys", 2),
    ],
)
def test_files_that_do_not_do(run: Run, tmp_path: Path, option: str, name: str, code: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "two-keys").write_text(f"{KEY}\n{TOKEN} {MAIL}\n")
    with Served(tmp_path / "rows.jsonl", "400=1") as receiver:
        assert run(receiver, option, tmp_path / name) == code


def test_input_that_is_not_as_it_should_be(run: Run, tmp_path: Path) -> None:
    bad: list[Any] = [
        {"event_type": TYPE, "id": "a", "time": MAIL, "user": MAIL, "properties": {"name": [MAIL]}},
        {"event_type": [MAIL], "id": {"a": MAIL}, "time": 1, "user": {"user_id": {"b": MAIL}, "timezone": MAIL}},
        {"mail": MAIL},
        MAIL,
    ]
    source = payloads(tmp_path, {"events": bad + good()}, {"mail": MAIL}, MAIL)
    with source.open("a") as file:
        file.write(f'{{"events":[{{"id":"{MAIL}\n')
    with Served(tmp_path / "rows.jsonl") as receiver:
        for form in ("text", "json"):
            assert run(receiver, "--format", form, source=source) != 0
    assert receiver.stats.stored


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_stop_in_between(run: Run, tmp_path: Path, number: signal.Signals, code: int) -> None:
    """A stop, or a hard one, while a request hangs and others have been noted in the journal."""
    source = payloads(tmp_path, *[{"events": [event]} for event in good()])
    with Served(tmp_path / "rows.jsonl", "hang=0.3", seed=10) as receiver:

        def in_between() -> bool:
            return receiver.stats.stored > 2 and receiver.stats.by_fault["hang"] > 0

        arguments = ("--timeout", "2", "--format", "json")
        assert run(receiver, *arguments, source=source, stop=in_between, number=number) == code
