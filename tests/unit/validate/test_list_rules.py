"""`tdcur rules`: the rules, listed and explained."""

import json
from collections.abc import Callable

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.model import Code
from td_currents_cli.render.simple import print_rules
from td_currents_cli.validate.list_rules import RulesRequest, nearest, run
from td_currents_cli.validate.rules import RULES
from tests.command import tdcur_text
from tests.rendering import screen_of

CATALOG_CODES = [code for code in sorted(Code) if code.startswith("TDC2")]


@pytest.mark.parametrize(
    ("prefix", "codes", "is_one"),
    [
        ("", sorted(Code), False),
        *((prefix, CATALOG_CODES, False) for prefix in ("TDC2", "tdc2", "TDC20")),
        *((prefix, [Code.FIELD_TYPE], True) for prefix in ("TDC203", "tdc203")),
    ],
)
def test_a_prefix_selects_rules(prefix: str, codes: list[Code], is_one: bool) -> None:
    """As in --select, whatever the case; all of them without one."""
    outcome = run(RulesRequest(prefix))
    assert ([rule.code for rule in outcome.rules], outcome.is_one) == (codes, is_one)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("TDC209", Code.FIELD_GONE),
        ("TDC2O1", Code.UNKNOWN_EVENT_TYPE),
        ("TCD203", Code.FIELD_TYPE),
        ("TD203", Code.FIELD_TYPE),
        ("203", Code.FIELD_TYPE),
        ("TDC399", Code.EVENT_DROPPED),
        ("price", None),
        ("E501", None),
        ("-", None),
    ],
)
def test_an_unknown_rule_is_answered_with_a_near_one(word: str, meant: Code | None) -> None:
    """The nearest by its letters, and among equals by its number; a far-fetched guess helps nobody."""
    assert nearest(word.upper()) is meant
    with pytest.raises(UsageError) as raised:
        run(RulesRequest(word))
    assert raised.value.message == f"unknown rule '{word}'"
    assert raised.value.hint == (f"Did you mean {meant}?" if meant else "`tdcur rules` lists all rules.")


def test_the_json_form_says_all_of_a_rule() -> None:
    envelope = json.loads(json.dumps(run(RulesRequest("TDC203")).as_dict()))
    rule = RULES[Code.FIELD_TYPE]
    assert (envelope["command"], envelope["summary"]) == ("rules", {"rules": 1})
    texts = {name: getattr(rule, name) for name in ("code", "name", "why", "fix", "bad", "good")}
    assert envelope["rules"] == [{**texts, "severity": "error", "family": "the catalog", "mend": rule.fix}]


@pytest.mark.parametrize(
    ("name", "prefix", "width"),
    [
        ("rules", "", None),
        ("rules_explained", "TDC202", None),
        ("rules_explained_narrow", "TDC202", 40),
        ("rules_without_examples", "TDC003", None),
    ],
)
def test_text(name: str, prefix: str, width: int | None, stored: Callable[[str, str], None]) -> None:
    """A line per rule under the title of its family; one is explained, off a terminal each text on one line."""
    screen = screen_of(width)
    print_rules(run(RulesRequest(prefix)), screen.terminal)
    stored(name, screen.out + screen.err)


def test_the_rules_are_data_and_the_rest_is_talk() -> None:
    """In a shell, the count goes to standard error, and nowhere when quiet."""
    ended = tdcur_text("rules", "TDC3")
    assert (ended.returncode, ended.stderr) == (0, "6 rules; run `tdcur rules CODE` to explain one\n")
    assert ended.stdout.startswith("TDC3xx  the destination\n  TDC301  warning  ")
    assert tdcur_text("rules", "TDC3", "--quiet").stderr == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_unknown_rule_is_wrong_usage(form: str) -> None:
    ended = tdcur_text("rules", "TDC2O3", "--format", form)
    assert (ended.returncode, ended.stderr) == (2, "error: unknown rule 'TDC2O3'\nhint: Did you mean TDC203?\n")
    error = json.loads(ended.stdout)["error"]["hint"] if form == "json" else ended.stdout
    assert error == ("Did you mean TDC203?" if form == "json" else "")
