"""The forms of `tdcur validate` for machines: JSON, JSON Lines, GitHub annotations, SARIF, and JUnit.

The schemas of others are those of OASIS and of Jenkins' xUnit plugin (origin: tests/schemas/README.md).
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, fromstring

import jsonschema_rs
import pytest
import xmlschema

from td_currents_cli import __version__
from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.model import Code, Excerpt, Location, Problem
from td_currents_cli.outcome import Problems, error_envelope
from td_currents_cli.render import render
from td_currents_cli.render.terminal import write_json
from td_currents_cli.render.validate_ci import SARIF_ROOT, annotation, artifact, schema_text
from td_currents_cli.validate.command import Selection
from tests.rendering import Screen, outcome_of, problem_of

Printed: TypeAlias = Callable[..., bytes]
"""What is printed in a format: takes its name, problems, and further fields of the outcome."""

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
SCHEMA: Final = json.loads(schema_text())
VALIDATOR: Final = jsonschema_rs.validator_for(SCHEMA)
PROBLEM: Final = jsonschema_rs.validator_for({**SCHEMA, "$ref": "#/$defs/problem", "type": "object", "required": []})
# The committee's pattern of a language, which our logs do not name, has a stray bracket that jsonschema-rs refuses.
OASIS: Final = (SCHEMAS / "sarif-schema-2.1.0.json").read_text("utf-8").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$")
SARIF: Final = jsonschema_rs.validator_for(json.loads(OASIS), validate_formats=True)
JUNIT: Final = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")

BARE: Final = Problem(code=Code.UNREADABLE, location=Location("<stdin>"), message="the data end too early")
EACH: Final = (
    BARE,
    problem_of(location=Location("rows.csv", 2, 5, row=1), pointer="/0/properties/a~1b~0c", event_id=None),
    *(problem_of(code) for code in Code),
)
"""One of each code, in every arrangement of what is known."""


@pytest.fixture
def printed(capfdbinary: pytest.CaptureFixture[bytes], screen: Screen) -> Printed:
    def print_outcome(form: str, *problems: Problem, **fields: Any) -> bytes:
        render(outcome_of(*problems, **fields), form, screen.terminal)
        return capfdbinary.readouterr().out

    return print_outcome


# --- all of them


@pytest.mark.parametrize("form", ["json", "jsonl", "sarif"])
def test_names_that_no_encoding_has_are_escaped(form: str, printed: Printed) -> None:
    """JSON can say a lone surrogate, in an id as in the name of a file that is not UTF-8."""
    output = printed(form, problem_of(event_id="\ud800", location=Location("caf\udce9.json", 1, 1)))
    output.decode()
    assert json.loads(output)
    assert b"\\ud800" in output


@pytest.mark.parametrize("form", ["json", "jsonl", "github", "sarif", "junit"])
def test_no_machine_form_holds_payload_content(form: str, printed: Printed) -> None:
    """The text around a place and the rejected record are for other eyes."""
    output = printed(form, problem_of(raw=b'{"raw": "my secret"}', excerpt=Excerpt('{"line": "my secret"}', caret=9)))
    assert b"TDC203" in output
    assert b"secret" not in output


@pytest.mark.parametrize("form", ["github", "junit"])
def test_problems_that_are_not_shown_are_counted(form: str, printed: Printed, screen: Screen) -> None:
    """What --limit hides is told on standard error; SARIF has a place for it."""
    printed(form, *[problem_of()] * 5, keep=3)
    assert screen.err == "2 of 5 problems are not shown (see --limit)\n"


# --- JSON and JSON Lines


def undescribed(value: object, schema: dict[str, Any], at: str = "") -> list[str]:
    """Members of a document that the schema does not name: it allows them, but nobody would know of them."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if isinstance(value, list):
        return [name for each in value for name in undescribed(each, schema["items"], f"{at}/*")]
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return []
    named = SCHEMA["$defs"]["summary"]["properties"] if at == "/summary" else schema.get("properties", {})
    return [f"{at}/{name}" for name in value if name not in named] + [
        name for key in value if key in named for name in undescribed(value[key], named[key], f"{at}/{key}")
    ]


def test_the_schema_is_one() -> None:
    """It is JSON Schema 2020-12 by its own meta-schema, in an indented text that ends with its line."""
    assert schema_text().startswith('{\n  "$schema": "https://json-schema.org/draft/2020-12/schema"')
    jsonschema_rs.meta.validate(SCHEMA)
    assert schema_text().endswith("}\n")


def test_documents_are_as_the_schema_says(capfdbinary: pytest.CaptureFixture[bytes], printed: Printed) -> None:
    """With problems, without, with more than are shown, and of a run that failed; all that is there is named."""
    documents = [printed("json", *EACH), printed("json"), printed("json", *EACH, keep=1, suppressed=4, seconds=0.1)]
    for error in (UsageError("no such rule", hint="tdcur rules"), InputError("a.json: no such file")):
        write_json(error_envelope("validate", error))
        documents.append(capfdbinary.readouterr().out)
    for document in map(json.loads, documents):
        VALIDATOR.validate(document)
        assert undescribed(document, SCHEMA) == []


@pytest.mark.parametrize(
    "change",
    [
        {"exit_code": 3},
        {"command": "count"},
        {"summary": {}},
        {"problems": [{}]},
        {"error": {"message": "x", "hint": ""}},
        {"error": {"message": "x"}, "summary": {}, "exit_code": 6, "problems": []},
    ],
)
def test_the_schema_is_not_merely_lenient(change: dict[str, object]) -> None:
    """What `tdcur validate` never prints is not valid."""
    document = json.loads(json.dumps(outcome_of().as_dict()))
    assert (VALIDATOR.is_valid(document), VALIDATOR.is_valid(document | change)) == (True, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("line", 0),
        ("severity", "note"),
        ("code", "E501"),
        ("pointer", "events/0"),
        ("pointer", "/a~2"),
        ("message", "two\nlines"),
        ("hint", None),
    ],
)
def test_the_schema_of_a_problem_is_not_merely_lenient(name: str, value: object) -> None:
    """Nor is a problem that no rule makes."""
    record = json.loads(json.dumps(problem_of().as_dict()))
    assert (PROBLEM.is_valid(record), PROBLEM.is_valid(record | {name: value})) == (True, False)


def test_json_lines_are_problems_and_nothing_else(printed: Printed) -> None:
    """One line each, in the fields of the JSON form; no line at all for a clean run."""
    *lines, end = printed("jsonl", *EACH).split(b"\n")
    records = list(map(json.loads, lines))
    assert end == b""
    assert all(map(PROBLEM.is_valid, records))
    assert [each["code"] for each in records] == [problem.code for problem in EACH]
    assert printed("jsonl") == b""


# --- GitHub

COMMAND: Final = re.compile(r"::(?P<command>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


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


PLACE: Final = {"file": "payloads.jsonl", "line": "3", "col": "9"}


@pytest.mark.parametrize(
    ("problem", "command", "properties"),
    [
        # GitHub knows notices, not infos.
        (problem_of(Code.NO_EXTERNAL_USER_ID), "warning", PLACE | {"title": "TDC301"}),
        (problem_of(Code.UNKNOWN_FIELD), "notice", PLACE | {"title": "TDC204"}),
        # Standard input is no file, and binary rows have no lines.
        (problem_of(location=Location("<stdin>", 1, 2)), "error", {"title": "TDC203"}),
        (problem_of(location=Location("a.msgpack")), "error", {"title": "TDC203", "file": "a.msgpack"}),
    ],
)
def test_a_command_has_a_severity_and_a_place(problem: Problem, command: str, properties: dict[str, str]) -> None:
    assert read(annotation(problem))[:2] == (command, properties)


def test_what_would_end_a_value_is_escaped() -> None:
    """A name with colons, commas, percent signs or line ends arrives as it is, and starts no command of its own."""
    source = "50%,a:b.json"
    problem = problem_of(location=Location(source, 1, 2), message="`a\r\n::error::x` 100%")
    command, properties, message = read(annotation(problem))
    assert (command, properties) == ("error", {"file": source, "line": "1", "col": "2", "title": "TDC203"})
    assert message.startswith(f"{source}:1:2 TDC203 `a\\r\\n::error::x` 100%\nat /events")


def test_commands_have_a_line_each(printed: Printed) -> None:
    """Standard output has commands only."""
    problems = [problem_of(location=Location("caf\udce9.json", line, 1)) for line in range(1, 6)]
    lines = printed("github", *problems, keep=3).decode().splitlines()
    assert [read(line)[1]["line"] for line in lines] == ["1", "2", "3"]


# --- SARIF


@pytest.fixture
def run_of(printed: Printed) -> Callable[..., dict[str, Any]]:
    """The run in the SARIF log of an outcome of these problems, known to be valid."""

    def make(*problems: Problem, **fields: Any) -> dict[str, Any]:
        log: dict[str, Any] = json.loads(printed("sarif", *problems, **fields))
        SARIF.validate(log)
        (run,) = log["runs"]
        assert isinstance(run, dict)
        return run

    return make


def test_a_run(run_of: Callable[..., dict[str, Any]], stored: Callable[[str, str], None]) -> None:
    """With every code, with nothing known but the source, without problems, with problems that are not shown."""
    run = run_of(*EACH)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("tdcur", __version__)
    assert [rule["id"] for rule in driver["rules"]] == sorted(Code)
    assert [driver["rules"][result["ruleIndex"]]["id"] for result in run["results"]] == [each.code for each in EACH]
    (rule,) = (rule for rule in driver["rules"] if rule["id"] == "TDC204")
    stored("sarif_rule", json.dumps(rule, indent=2) + "\n")
    assert run_of()["results"] == []
    assert run_of(BARE, BARE, keep=1)["invocations"][0]["toolExecutionNotifications"] == [
        {"level": "warning", "message": {"text": "1 of 2 problems are not shown (see --limit)"}}
    ]


def test_a_result(run_of: Callable[..., dict[str, Any]], stored: Callable[[str, str], None]) -> None:
    """Level, place with columns in code points, and what SARIF has no field for as properties.

    Binary rows have no line and no region; the row is a property. The first event of all has the index 0.
    """
    run = run_of(problem_of(hint="Write a number."), problem_of(location=Location("a.msgpack", row=7), event_index=0))
    assert run["columnKind"] == "unicodeCodePoints"
    stored("sarif_results", json.dumps(run["results"], indent=2) + "\n")


@pytest.mark.parametrize(
    ("source", "uri", "is_below"),
    [
        ("data/payloads.json", "data/payloads.json", True),
        ("./data//a b#1?.json", "data/a%20b%231%3F.json", True),
        ("a:b%.json", "a%3Ab%25.json", True),
        ("データ/é.json", "%E3%83%87%E3%83%BC%E3%82%BF/%C3%A9.json", True),
        ("caf\udce9.json", "caf%E9.json", True),
        ("/data/a b.json", "file:///data/a%20b.json", False),
        # It leads out of the root, for which a URI below it has no words.
        ("../a.json", (Path.cwd().parent / "a.json").as_uri(), False),
        # It is not a file, but a log has to name it.
        ("<stdin>", "%3Cstdin%3E", False),
    ],
)
def test_a_path_is_a_uri(source: str, uri: str, is_below: bool) -> None:
    """Of a file below the root it is escaped, normalised, and without a scheme that a colon would make."""
    assert artifact(source) == {"uri": uri, **({"uriBaseId": SARIF_ROOT} if is_below else {})}
    if is_below:
        assert urlsplit(uri).scheme == ""
        assert unquote(uri, errors="surrogateescape") == os.path.normpath(source)


def test_fingerprints_follow_the_event_and_not_the_line(run_of: Callable[..., dict[str, Any]]) -> None:
    """A problem stays the same one when events were put before it; two of one kind are told apart."""

    def prints(*problems: Problem) -> list[str]:
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in run_of(*problems)["results"]]

    moved = problem_of(location=Location("payloads.jsonl", 9, 1), event_index=60, pointer="/events/60/properties/price")
    first = prints(problem_of())
    assert prints(moved) == first
    both = prints(problem_of(), problem_of(), problem_of(event_id="e-58"))
    assert both[0] == first[0]
    assert len(set(both)) == 3


def test_an_input_that_could_not_be_read_is_no_success(run_of: Callable[..., dict[str, Any]]) -> None:
    """Problems are a success of the tool; an unreadable input is not."""
    assert run_of(problems=Problems(unreadable=1))["invocations"][0]["executionSuccessful"] is False
    assert run_of()["invocations"][0] == {"executionSuccessful": True, "exitCode": 0}


# --- JUnit


NAME: Final = "a\x00\x1b\ud800\ufffe<b>&]]>\"'\n日本"
MILD: Final = [problem_of(Code.NO_EXTERNAL_USER_ID), problem_of(Code.UNKNOWN_FIELD)]
SELECTION: Final = Selection.of(["TDC202", "TDC203", "TDC204", "TDC301"], [])

REPORTS: Final[dict[str, tuple[list[Problem], dict[str, Any]]]] = {
    # Servers show one failure of a test: all problems of the rule are in it.
    "broken": ([problem_of(), problem_of(location=Location("b.json", 1, 2))], {}),
    # Without --strict, warnings are output of a test that passes; infos always are.
    "lax": (MILD, {}),
    "strict": (MILD, {"strict": True}),
    # --limit bounds the places, not the result.
    "hidden": ([], {"by_code": Counter({Code.FIELD_MISSING: 1200}), "keep": 0}),
    # Control characters, lone surrogates and markup in names leave the document well-formed.
    "names": ([problem_of(message=NAME, location=Location(NAME, 1, 2))], {}),
}


def report_of(document: str) -> Element:
    """A JUnit report, known to be valid and to add up."""
    JUNIT.validate(document)
    report = fromstring(document)  # noqa: S314 -- our own
    for element in (report, *report):
        assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
        assert int(element.attrib["failures"]) == len(list(element.iter("failure")))
    return report


def test_a_clean_run_has_a_passing_test_for_each_rule(printed: Printed) -> None:
    """CI servers take a report without tests for a broken one."""
    report = report_of(printed("junit").decode())
    tests = str(len([code for code in Code if code < "TDC4"]))
    assert report.attrib.items() >= {"tests": tests, "failures": "0", "time": "0.250"}.items()
    suites = ["TDC0xx the document", "TDC1xx the event", "TDC2xx the catalog", "TDC3xx the destination"]
    assert [suite.attrib["name"] for suite in report] == suites
    assert all(len(each) == 0 for each in report.iter("testcase"))


@pytest.mark.parametrize("name", REPORTS)
def test_reports(name: str, printed: Printed, stored: Callable[[str, str], None]) -> None:
    """Rules that were not selected are no tests of the run; a family without rules is no suite."""
    problems, outcome = REPORTS[name]
    document = printed("junit", *problems, selection=SELECTION, **outcome).decode()
    report_of(document)
    stored(f"junit_{name}", document)
