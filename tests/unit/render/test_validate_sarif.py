"""`tdcur validate --format sarif` against the OASIS schema (its origin: tests/schemas/README.md)."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
import pytest

from td_currents_cli import __version__
from td_currents_cli.model import Code, Location, Problem
from td_currents_cli.outcome import Problems
from td_currents_cli.render.validate_ci import SARIF_ROOT, artifact, write_sarif
from tests.rendering import outcome_of, problem_of

TEXT = (Path(__file__).parents[2] / "schemas" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")
# The committee's pattern of a language, which our logs do not name, has a stray bracket that jsonschema-rs refuses.
SCHEMA = json.loads(TEXT.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$"))
VALIDATOR = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)


@pytest.fixture
def log_of(capfdbinary: pytest.CaptureFixture[bytes], screen: Any) -> Callable[..., dict[str, Any]]:
    """The SARIF log of an outcome of these problems, known to be valid."""

    def make(*problems: Problem, **fields: Any) -> dict[str, Any]:
        write_sarif(outcome_of(*problems, **fields), screen.terminal)
        log: dict[str, Any] = json.loads(capfdbinary.readouterr().out)
        VALIDATOR.validate(log)
        assert len(log["runs"]) == 1
        return log

    return make


def test_logs_are_as_oasis_says(log_of: Callable[..., dict[str, Any]]) -> None:
    """With every code, with nothing known but the source, without problems, with problems that are not shown."""
    bare = Problem(code=Code.UNREADABLE, location=Location("<stdin>"), message="the data end too early")
    log = log_of(bare, *(problem_of(code) for code in Code))
    assert log["version"] == "2.1.0"
    assert len(log["runs"][0]["results"]) == len(Code) + 1
    assert log_of()["runs"][0]["results"] == []
    assert log_of(bare, bare, keep=1)["runs"][0]["invocations"][0]["toolExecutionNotifications"] == [
        {"level": "warning", "message": {"text": "1 of 2 problems are not shown (see --max-findings)"}}
    ]


def test_the_tool_and_its_rules(log_of: Callable[..., dict[str, Any]]) -> None:
    run = log_of(*(problem_of(code) for code in Code))["runs"][0]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("tdcur", __version__)
    assert [rule["id"] for rule in driver["rules"]] == sorted(Code)
    assert all(driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    rule = next(rule for rule in driver["rules"] if rule["id"] == "TDC204")
    assert rule["name"] == "UnknownField"
    assert rule["shortDescription"]["text"] == "unknown field"
    assert rule["defaultConfiguration"] == {"level": "note"}
    assert rule["fullDescription"]["text"].endswith(".")
    assert "```json" in rule["help"]["markdown"]
    assert "```" not in rule["help"]["text"]


def test_a_result(log_of: Callable[..., dict[str, Any]]) -> None:
    """Level, place with columns in code points, and what SARIF has no field for as properties."""
    run = log_of(problem_of(hint="Write a number."))["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    result = run["results"][0]
    assert result["level"] == "error"
    assert result["message"]["text"] == "`properties.price` must be a number, got a string. Write a number."
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "payloads.jsonl", "uriBaseId": SARIF_ROOT},
        "region": {"startLine": 3, "startColumn": 9},
    }
    assert result["properties"] == {
        "pointer": "/events/57/properties/price",
        "event_index": 57,
        "event_id": "e-57",
        "event_type": "users.behaviors.Purchase",
    }


def test_a_place_without_a_line_has_no_region(log_of: Callable[..., dict[str, Any]]) -> None:
    """Binary rows have none; the row is a property. The first event of all has the index 0."""
    result = log_of(problem_of(location=Location("a.msgpack", row=7), event_index=0))["runs"][0]["results"][0]
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert (result["properties"]["row"], result["properties"]["event_index"]) == (7, 0)


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ("data/payloads.json", "data/payloads.json"),
        ("./data//a b#1?.json", "data/a%20b%231%3F.json"),
        ("a:b%.json", "a%3Ab%25.json"),
        ("データ/é.json", "%E3%83%87%E3%83%BC%E3%82%BF/%C3%A9.json"),
        ("caf\udce9.json", "caf%E9.json"),
    ],
)
def test_a_relative_path_is_a_uri_below_the_root(source: str, uri: str) -> None:
    """Escaped, normalised, without a scheme that a colon would make."""
    assert artifact(source) == {"uri": uri, "uriBaseId": SARIF_ROOT}
    assert urlsplit(uri).scheme == ""
    assert unquote(uri, errors="surrogateescape") == os.path.normpath(source)


def test_other_paths_are_file_uris() -> None:
    """An absolute one, and one that leads out of the root, for which a URI below it has no words."""
    assert artifact("/data/a b.json") == {"uri": "file:///data/a%20b.json"}
    assert artifact("../a.json") == {"uri": (Path.cwd().parent / "a.json").as_uri()}


def test_standard_input_is_said_as_it_is() -> None:
    """A log has to name something."""
    assert artifact("<stdin>") == {"uri": "%3Cstdin%3E"}


def test_fingerprints_follow_the_event_and_not_the_line(log_of: Callable[..., dict[str, Any]]) -> None:
    """A problem stays the same one when events were put before it; two of one kind are told apart."""

    def prints(*problems: Problem) -> list[str]:
        results = log_of(*problems)["runs"][0]["results"]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]

    moved = problem_of(location=Location("payloads.jsonl", 9, 1), event_index=60, pointer="/events/60/properties/price")
    first = prints(problem_of())
    assert prints(moved) == first
    both = prints(problem_of(), problem_of(), problem_of(event_id="e-58"))
    assert both[0] == first[0]
    assert len(set(both)) == 3


def test_an_input_that_could_not_be_read_is_no_success(log_of: Callable[..., dict[str, Any]]) -> None:
    """Problems are a success of the tool; an unreadable input is not."""
    run = log_of(problems=Problems(unreadable=1))["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert log_of()["runs"][0]["invocations"][0] == {"executionSuccessful": True, "exitCode": 0}
