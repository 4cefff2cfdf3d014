"""`tdcur validate --format json` and `jsonl` against the published schema."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.model import Code, Excerpt, Location, Problem
from td_currents_cli.outcome import error_envelope
from td_currents_cli.render import render
from td_currents_cli.render.terminal import write_json
from td_currents_cli.render.validate_ci import schema_text
from td_currents_cli.validate import ValidateOutcome
from tests.rendering import outcome_of, problem_of

SCHEMA = json.loads(schema_text())
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
PROBLEM = jsonschema_rs.validator_for({**SCHEMA, "$ref": "#/$defs/problem", "type": "object", "required": []})


@pytest.fixture
def problems() -> list[Problem]:
    """One of each code, in every arrangement of what is known."""
    bare = Problem(code=Code.UNREADABLE, location=Location("<stdin>"), message="the data end too early")
    row = problem_of(location=Location("rows.csv", 2, 5, row=1), pointer="/0/properties/a~1b~0c", event_id=None)
    return [bare, row, *(problem_of(code) for code in Code)]


@pytest.fixture
def printed(capfdbinary: pytest.CaptureFixture[bytes], screen: Any) -> Callable[[ValidateOutcome, str], bytes]:
    def print_outcome(outcome: ValidateOutcome, form: str) -> bytes:
        render(outcome, form, screen.terminal)
        return capfdbinary.readouterr().out

    return print_outcome


def undescribed(value: object, schema: dict[str, Any], at: str = "") -> list[str]:
    """Members of a document that the schema does not name: it allows them, but nobody would know of them."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if isinstance(value, list):
        return [name for each in value for name in undescribed(each, schema["items"], f"{at}/*")]
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return []
    named = schema.get("properties", {})
    if at == "/summary":
        named = SCHEMA["$defs"]["summary"]["properties"]
    return [f"{at}/{name}" for name in value if name not in named] + [
        name for key in value if key in named for name in undescribed(value[key], named[key], f"{at}/{key}")
    ]


def test_the_schema_is_one() -> None:
    """It is JSON Schema 2020-12 by its own meta-schema, in an indented text that ends with its line."""
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(SCHEMA)
    assert schema_text().startswith('{\n  "$schema"')
    assert schema_text().endswith("}\n")


def test_outcomes_are_as_the_schema_says(
    printed: Callable[[ValidateOutcome, str], bytes], problems: list[Problem]
) -> None:
    """With problems, without, and with more than are shown; and the schema names all that is there."""
    for outcome in (outcome_of(*problems), outcome_of(), outcome_of(*problems, keep=1, suppressed=4, seconds=0.1)):
        document = json.loads(printed(outcome, "json"))
        VALIDATOR.validate(document)
        assert undescribed(document, SCHEMA) == []


def test_failures_are_as_the_schema_says(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Scripts read one form, whether the run could go on or not."""
    for error in (UsageError("no such rule", hint="tdcur rules"), InputError("a.json: no such file")):
        write_json(error_envelope("validate", error))
        document = json.loads(capfdbinary.readouterr().out)
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
    assert VALIDATOR.is_valid(document)
    assert not VALIDATOR.is_valid(document | change)


@pytest.mark.parametrize(
    "change",
    [
        {"line": 0},
        {"severity": "note"},
        {"code": "E501"},
        {"pointer": "events/0"},
        {"pointer": "/a~2"},
        {"message": "two\nlines"},
        {"hint": None},
    ],
)
def test_the_schema_of_a_problem_is_not_merely_lenient(change: dict[str, object]) -> None:
    """Nor is a problem that no rule makes."""
    record = json.loads(json.dumps(problem_of().as_dict()))
    assert PROBLEM.is_valid(record)
    assert not PROBLEM.is_valid(record | change)


def test_json_lines_are_problems_and_nothing_else(
    printed: Callable[[ValidateOutcome, str], bytes], problems: list[Problem]
) -> None:
    """One line each, in the fields of the JSON form; no line at all for a clean run."""
    lines = printed(outcome_of(*problems), "jsonl").splitlines(keepends=True)
    assert len(lines) == len(problems)
    assert all(line.endswith(b"\n") for line in lines)
    for line in lines:
        PROBLEM.validate(json.loads(line))
    assert [json.loads(line)["code"] for line in lines] == [problem.code for problem in problems]
    assert printed(outcome_of(), "jsonl") == b""


@pytest.mark.parametrize("form", ["json", "jsonl", "sarif"])
def test_names_that_no_encoding_has_are_escaped(form: str, printed: Callable[[ValidateOutcome, str], bytes]) -> None:
    """JSON can say a lone surrogate, in an id as in the name of a file that is not UTF-8."""
    output = printed(outcome_of(problem_of(event_id="\ud800", location=Location("caf\udce9.json", 1, 1))), form)
    output.decode()
    assert json.loads(output)
    assert b"\\ud800" in output


@pytest.mark.parametrize("form", ["json", "jsonl", "github", "sarif", "junit"])
def test_no_machine_form_holds_payload_content(form: str, printed: Callable[[ValidateOutcome, str], bytes]) -> None:
    """The text around a place and the rejected record are for other eyes."""
    problem = problem_of(raw=b'{"raw": "my secret"}', excerpt=Excerpt('{"line": "my secret"}', caret=9))
    output = printed(outcome_of(problem), form)
    assert b"TDC203" in output
    assert b"secret" not in output
