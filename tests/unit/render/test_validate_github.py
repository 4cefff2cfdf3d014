"""`tdcur validate --format github`: workflow commands."""

import re
from typing import Any

import pytest

from td_currents_cli.model import Code, Location
from td_currents_cli.render.validate_ci import annotation, write_github
from tests.rendering import outcome_of, problem_of

COMMAND = re.compile(r"::(?P<command>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def undone(text: str) -> str:
    """What the runner makes of a value (ActionCommand.cs): the escapes undone, `%25` last."""
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, character)
    return text


def read(command: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it."""
    match = COMMAND.fullmatch(command)
    assert match, command
    properties = dict(each.split("=", 1) for each in match["properties"].split(","))
    return match["command"], {name: undone(value) for name, value in properties.items()}, undone(match["message"])


def test_an_annotation() -> None:
    """The place as properties for the diff, and in the message for the log, which shows nothing else."""
    assert annotation(problem_of(hint="Write a number.")) == (
        "::error file=payloads.jsonl,line=3,col=9,title=TDC203"
        "::payloads.jsonl:3:9 TDC203 `properties.price` must be a number, got a string"
        "%0Aat /events/57/properties/price%0AWrite a number."
    )


@pytest.mark.parametrize(
    ("code", "command"),
    [(Code.FIELD_TYPE, "error"), (Code.NO_EXTERNAL_USER_ID, "warning"), (Code.UNKNOWN_FIELD, "notice")],
)
def test_each_severity_has_its_command(code: Code, command: str) -> None:
    """GitHub knows notices, not infos."""
    assert read(annotation(problem_of(code)))[0] == command


def test_what_would_end_a_value_is_escaped() -> None:
    """A name with colons, commas, percent signs or line ends arrives as it is, and starts no command of its own."""
    source = "50%,a:b.json"
    command, properties, message = read(
        annotation(problem_of(location=Location(source, 1, 2), message="`a\r\n::error::x` 100%"))
    )
    assert command == "error"
    assert properties == {"file": source, "line": "1", "col": "2", "title": "TDC203"}
    assert message.startswith(f"{source}:1:2 TDC203 `a\\r\\n::error::x` 100%\nat /events")


def test_an_annotation_without_a_place() -> None:
    """Standard input is no file, and binary rows have no lines."""
    assert read(annotation(problem_of(location=Location("<stdin>", 1, 2))))[1] == {"title": "TDC203"}
    assert read(annotation(problem_of(location=Location("a.msgpack"))))[1] == {"file": "a.msgpack", "title": "TDC203"}


def test_all_that_is_kept_is_written_and_the_rest_is_said(capfd: pytest.CaptureFixture[str], screen: Any) -> None:
    """Standard output has commands only, one a line; what --max-findings hides is told on standard error."""
    problems = [problem_of(location=Location("caf\udce9.json", line, 1)) for line in range(1, 6)]
    write_github(outcome_of(*problems, keep=3), screen.terminal)
    lines = capfd.readouterr().out.splitlines()
    assert [read(line)[1]["line"] for line in lines] == ["1", "2", "3"]
    assert screen.err == "2 of 5 problems are not shown (see --max-findings)\n"
