"""`tdcur rules`: the rules, listed and explained."""

import json
from itertools import groupby
from typing import Any

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.model import Code
from td_currents_cli.render.simple import print_rules
from td_currents_cli.validate.list_rules import Family, RulesRequest, nearest, run
from td_currents_cli.validate.rules import RULES
from tests.rendering import screen_of


def test_all_rules_are_listed_by_default() -> None:
    outcome = run(RulesRequest())
    assert [rule.code for rule in outcome.rules] == sorted(Code)
    assert not outcome.is_one


@pytest.mark.parametrize("prefix", ["TDC2", "tdc2", "TDC20"])
def test_a_prefix_lists_a_family(prefix: str) -> None:
    """As --select has it; whatever the case."""
    outcome = run(RulesRequest(prefix))
    assert {rule.code[:4] for rule in outcome.rules} == {"TDC2"}
    assert not outcome.is_one


@pytest.mark.parametrize("code", ["TDC203", "tdc203"])
def test_a_code_is_one_rule(code: str) -> None:
    outcome = run(RulesRequest(code))
    assert [rule.code for rule in outcome.rules] == [Code.FIELD_TYPE]
    assert outcome.is_one


def test_every_rule_is_of_a_family_with_a_title() -> None:
    assert {Family.of(code) for code in Code} == set(Family)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("TDC209", Code.FIELD_GONE),
        ("TDC2O1", Code.UNKNOWN_EVENT_TYPE),
        ("TCD203", Code.FIELD_TYPE),
        ("TD203", Code.FIELD_TYPE),
        ("203", Code.FIELD_TYPE),
        ("TDC399", Code.EVENT_DROPPED),
    ],
)
def test_an_unknown_rule_is_answered_with_a_near_one(word: str, meant: Code) -> None:
    """The nearest by its letters, and among equals by its number."""
    with pytest.raises(UsageError) as raised:
        run(RulesRequest(word))
    assert raised.value.message == f"unknown rule '{word}'"
    assert raised.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("word", ["price", "E501", "-"])
def test_what_is_near_no_rule_is_answered_with_the_list(word: str) -> None:
    """A far-fetched guess helps nobody."""
    assert nearest(word.upper()) is None
    with pytest.raises(UsageError) as raised:
        run(RulesRequest(word))
    assert raised.value.hint == "tdcur rules lists all rules"


def test_the_json_form_says_all_of_a_rule() -> None:
    envelope = json.loads(json.dumps(run(RulesRequest("TDC203")).as_dict()))
    assert envelope["command"] == "rules"
    assert envelope["summary"] == {"rules": 1}
    rule = RULES[Code.FIELD_TYPE]
    assert envelope["rules"] == [
        {
            "code": "TDC203",
            "name": rule.name,
            "severity": "error",
            "family": "the catalog",
            "why": rule.why,
            "fix": rule.fix,
            "mend": rule.fix,
            "bad": rule.bad,
            "good": rule.good,
        }
    ]


def test_the_list_has_a_line_a_rule_under_the_title_of_its_family(screen: Any) -> None:
    """Code, severity, name in columns."""
    print_rules(run(RulesRequest()), screen.terminal)
    blocks = [list(lines) for filled, lines in groupby(screen.lines, key=bool) if filled]
    assert [block[0] for block in blocks] == [f"{family.name}xx  {family}" for family in Family]
    assert sum(len(block) - 1 for block in blocks) == len(Code)
    assert "  TDC203  error    wrong type of field" in screen.lines
    assert "  TDC204  info     unknown field" in screen.lines
    assert screen.err == f"{len(Code)} rules; run `tdcur rules CODE` to explain one\n"


def test_a_rule_is_explained_with_examples(screen: Any) -> None:
    """Off a terminal, each on one line however long it is."""
    print_rules(run(RulesRequest("TDC202")), screen.terminal)
    rule = RULES[Code.FIELD_MISSING]
    assert screen.lines == [
        "TDC202 required field missing",
        "error, the catalog",
        "",
        "Why",
        f"    {rule.why}",
        "",
        "Fix",
        f"    {rule.fix}",
        "",
        "Bad",
        f"    {rule.bad}",
        "",
        "Good",
        f"    {rule.good}",
        "",
    ]


def test_a_rule_without_examples_has_no_empty_titles(screen: Any) -> None:
    """No text shows a byte that is not UTF-8."""
    print_rules(run(RulesRequest("TDC003")), screen.terminal)
    assert "Why" in screen.lines
    assert not {"Bad", "Good"} & set(screen.lines)


def test_an_explanation_wraps_on_a_terminal() -> None:
    narrow = screen_of(40)
    print_rules(run(RulesRequest("TDC202")), narrow.terminal)
    assert max(map(len, narrow.lines)) <= 40
    assert " ".join(line.strip() for line in narrow.lines).count(RULES[Code.FIELD_MISSING].why) == 1
