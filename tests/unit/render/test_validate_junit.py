"""`tdcur validate --format junit` against the schema of Jenkins' xUnit plugin (origin: tests/schemas/README.md)."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
import xmlschema

from td_currents_cli.model import Code, Location, Problem
from td_currents_cli.render.validate_ci import write_junit
from td_currents_cli.validate.command import Selection
from tests.rendering import outcome_of, problem_of

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[2] / "schemas" / "junit-10.xsd")


@pytest.fixture
def report_of(capfdbinary: pytest.CaptureFixture[bytes], screen: Any) -> Callable[..., Element]:
    """The JUnit report of an outcome of these problems, known to be valid and to add up."""

    def make(*problems: Problem, **fields: Any) -> Element:
        write_junit(outcome_of(*problems, **fields), screen.terminal)
        document = capfdbinary.readouterr().out.decode()
        SCHEMA.validate(document)
        report = fromstring(document)  # noqa: S314 -- our own
        for element in (report, *report):
            assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
            assert int(element.attrib["failures"]) == len(list(element.iter("failure")))
        return report

    return make


def case(report: Element, code: Code) -> Element:
    (found,) = (each for each in report.iter("testcase") if each.attrib["name"].startswith(code))
    return found


def test_a_clean_run_has_a_passing_test_for_each_rule(report_of: Callable[..., Element]) -> None:
    """CI servers take a report without tests for a broken one."""
    report = report_of()
    assert report.attrib["tests"] == str(len([code for code in Code if code < "TDC4"]))
    assert report.attrib["failures"] == "0"
    assert report.attrib["time"] == "0.250"
    assert [suite.attrib["name"] for suite in report] == [
        "TDC0xx the document",
        "TDC1xx the event",
        "TDC2xx the catalog",
        "TDC3xx the destination",
    ]
    assert all(len(each) == 0 for each in report.iter("testcase"))


def test_a_broken_rule_fails_once_and_lists_its_places(report_of: Callable[..., Element]) -> None:
    """Servers show one failure of a test: all problems of the rule are in it."""
    report = report_of(problem_of(), problem_of(location=Location("b.json", 1, 2)))
    assert report.attrib["failures"] == "1"
    failed = case(report, Code.FIELD_TYPE)
    assert failed.attrib == {"classname": "tdcur.TDC2", "name": "TDC203 wrong type of field"}
    (failure,) = failed
    assert failure.attrib == {"type": "error", "message": "2 problems: wrong type of field"}
    assert (failure.text or "").split("\n") == [
        "payloads.jsonl:3:9 error `properties.price` must be a number, got a string",
        "b.json:1:2 error `properties.price` must be a number, got a string",
        "Write the value in the required type.",
    ]


def test_warnings_fail_only_where_they_count(report_of: Callable[..., Element]) -> None:
    """Without --strict they are output of a test that passes; infos always are."""
    problems = [problem_of(Code.NO_EXTERNAL_USER_ID), problem_of(Code.UNKNOWN_FIELD)]
    lax, strict = report_of(*problems), report_of(*problems, strict=True)
    assert [case(lax, problem.code)[0].tag for problem in problems] == ["system-out", "system-out"]
    assert [case(strict, problem.code)[0].tag for problem in problems] == ["failure", "system-out"]


def test_rules_that_were_not_selected_are_not_said_to_hold(report_of: Callable[..., Element]) -> None:
    """They are no tests of this run; a family without rules is no suite."""
    report = report_of(selection=Selection.of(["TDC203", "TDC204"], []))
    assert [each.attrib["name"][:6] for each in report.iter("testcase")] == ["TDC001", "TDC018", "TDC203", "TDC204"]
    assert [suite.attrib["name"][:4] for suite in report] == ["TDC0", "TDC2"]


def test_problems_that_are_not_shown_still_fail(screen: Any, report_of: Callable[..., Element]) -> None:
    """--max-findings bounds the places, not the result."""
    report = report_of(by_code=Counter({Code.FIELD_MISSING: 1200}), keep=0)
    failure = case(report, Code.FIELD_MISSING)[0]
    assert failure.attrib["message"] == "1,200 problems: required field missing"
    assert (failure.text or "").startswith("… and 1,200 more\n")
    report_of(problem_of(), problem_of(), keep=1)
    assert screen.err == "1 of 2 problems are not shown (see --max-findings)\n"


def test_what_xml_cannot_say_is_escaped(report_of: Callable[..., Element]) -> None:
    """Control characters, lone surrogates and markup in names leave the document well-formed."""
    name = "a\x00\x1b\ud800\ufffe<b>&]]>\"'\n日本"
    report = report_of(problem_of(message=name, location=Location(name, 1, 2)))
    shown = "a\\x00\\x1b\\ud800\\ufffe<b>&]]>\"'\\n日本"
    assert (case(report, Code.FIELD_TYPE)[0].text or "").split("\n")[0] == f"{shown}:1:2 error {shown}"
