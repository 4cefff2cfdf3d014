"""`tdcur rules` from the shell."""

import json
from functools import partial

import pytest

from tests.command import tdcur_text

rules = partial(tdcur_text, "rules")


def test_the_rules_are_data_and_the_rest_is_talk() -> None:
    """Standard output can be piped on; the count goes to standard error, and nowhere when quiet."""
    ended = rules("TDC3")
    assert ended.returncode == 0
    assert ended.stdout.startswith("TDC3xx  the destination\n  TDC301  warning  ")
    assert ended.stderr.endswith("rules; run `tdcur rules CODE` to explain one\n")
    assert rules("TDC3", "--quiet").stderr == ""


def test_a_rule_is_explained() -> None:
    said = rules("tdc203").stdout
    titles = [line for line in said.splitlines() if line and not line.startswith(" ")]
    assert titles == ["TDC203 wrong type of field", "error, the catalog", "Why", "Fix", "Bad", "Good"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_unknown_rule_is_wrong_usage(form: str) -> None:
    ended = rules("TDC2O3", "--format", form)
    assert ended.returncode == 2
    assert ended.stderr == "error: unknown rule 'TDC2O3'\nhint: did you mean TDC203?\n"
    if form == "json":
        assert json.loads(ended.stdout)["error"]["hint"] == "did you mean TDC203?"
    else:
        assert ended.stdout == ""
