"""`tdcur rules`: lists the rules, or explains one."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import ClassVar, Final

from td_currents_cli.errors import UsageError
from td_currents_cli.model import Code
from td_currents_cli.outcome import Outcome
from td_currents_cli.validate.rules import RULES, Rule

CUTOFF: Final = 0.6
"""Minimum similarity of a word to a code: accepts `TCD201` and `TDC2O1`, but not `price`."""


class Family(StrEnum):
    """Rules of one subject, by the start of their codes; the value is the title."""

    TDC0 = "the document"
    TDC1 = "the event"
    TDC2 = "the catalog"
    TDC3 = "the destination"
    TDC4 = "the delivery"

    @classmethod
    def of(cls, code: Code) -> "Family":
        return cls[code[:4]]


@dataclass(frozen=True, slots=True)
class RulesRequest:
    prefix: str = ""  # of codes, in any case; empty for all


class RulesOutcome(Outcome, frozen=True, kw_only=True):
    """The requested rules, in the order of their codes."""

    command: ClassVar[str] = "rules"

    rules: tuple[Rule, ...]
    is_one: bool  # requested by its full code: people see its explanation, scripts always get everything

    def summary(self) -> dict[str, object]:
        return {"rules": len(self.rules)}

    def data(self) -> dict[str, object]:
        return {
            "rules": [
                {
                    "code": rule.code,
                    "name": rule.name,
                    "severity": rule.severity,
                    "family": Family.of(rule.code),
                    "why": rule.why,
                    "fix": rule.fix,
                    "mend": rule.fix,  # its former name, which scripts may use
                    "bad": rule.bad,
                    "good": rule.good,
                }
                for rule in self.rules
            ]
        }


def run(request: RulesRequest) -> RulesOutcome:
    """Look up rules.

    Raises:
        UsageError: no code starts with the prefix.
    """
    prefix = request.prefix.upper()
    rules = tuple(rule for code, rule in RULES.items() if code.startswith(prefix))
    if not rules:
        near = nearest(prefix)
        hint = f"Did you mean {near}?" if near else "`tdcur rules` lists all rules."
        raise UsageError(f"unknown rule '{request.prefix}'", hint=hint)
    return RulesOutcome(rules=rules, is_one=prefix == rules[0].code)


def nearest(word: str) -> Code | None:
    """The code that was probably meant: by its letters, and among equals by its number."""
    digits = re.search(r"\d+", word)
    number = int(digits.group()) if digits else 0
    likeness = {code: SequenceMatcher(None, word, code, autojunk=False).ratio() for code in Code}
    near = [code for code in Code if likeness[code] >= CUTOFF]
    return max(near, key=lambda code: (likeness[code], -abs(int(code[3:]) - number)), default=None)
