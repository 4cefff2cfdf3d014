"""`tdcur rules`: which rules there are, and what one of them says."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import ClassVar, Final

from td_currents_cli.codes import Code
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.validate.rules import RULES, Rule

CUTOFF: Final = 0.6
"""How alike a word must be to a code to be taken for a slip: lets `TCD201` and `TDC2O1` pass, but not `price`."""


class Family(StrEnum):
    """Rules of one subject, by the beginning of their codes; the value is the title."""

    TDC0 = "the document"
    TDC1 = "the event"
    TDC2 = "the catalogue"
    TDC3 = "the destination"
    TDC4 = "the delivery"

    @classmethod
    def of(cls, code: Code) -> "Family":
        """The family a rule belongs to."""
        return cls[code[:4]]


class View(StrEnum):
    """How much of the rules is shown to people; scripts always get all of it."""

    LIST = "list"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class RulesRequest:
    """Which rules are asked for.

    Attributes:
        prefix: a code, or the beginning of several, whatever the case; empty for all.
    """

    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesOutcome(Outcome):
    """The rules asked for.

    Attributes:
        rules: in the order of their codes.
        view: one rule was asked for by its code, or a list.
    """

    command: ClassVar[str] = "rules"

    rules: tuple[Rule, ...]
    view: View

    def summary(self) -> dict[str, object]:
        """How many rules were found."""
        return {"rules": len(self.rules)}

    def data(self) -> dict[str, object]:
        """The rules with all they say."""
        return {"rules": [_as_dict(rule) for rule in self.rules]}


def run(request: RulesRequest) -> RulesOutcome:
    """Look up what was asked for.

    Raises:
        UsageError: no code begins so.
    """
    prefix = request.prefix.upper()
    rules = tuple(rule for code, rule in RULES.items() if code.startswith(prefix))
    if not rules:
        raise UsageError(f"unknown rule '{request.prefix}'", hint=_hint(prefix))
    return RulesOutcome(rules=rules, view=View.RULE if prefix == rules[0].code else View.LIST)


def _as_dict(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "family": Family.of(rule.code),
        "why": rule.why,
        "fix": rule.fix,
        "mend": rule.fix,
        "bad": rule.bad,
        "good": rule.good,
    }


def _hint(word: str) -> str:
    near = nearest(word)
    return f"did you mean {near}?" if near else "tdcur rules lists all rules"


def nearest(word: str) -> Code | None:
    """The code that a word probably stands for: by its letters, and among equals by its number."""
    digits = re.search(r"\d+", word)
    number = int(digits.group()) if digits else 0
    likeness = {code: SequenceMatcher(None, word, code, autojunk=False).ratio() for code in Code}
    near = [code for code in Code if likeness[code] >= CUTOFF]
    return max(near, key=lambda code: (likeness[code], -abs(int(code[3:]) - number)), default=None)
