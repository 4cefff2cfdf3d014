"""The rules of `tdcur validate` as a list, or one of them explained."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rich.padding import Padding
from rich.text import Text

from td_currents_cli.render.figures import amount
from td_currents_cli.render.problems import STYLES
from td_currents_cli.render.terminal import Terminal, print_wrapped
from td_currents_cli.validate.list_rules import Family, RulesOutcome, View
from td_currents_cli.validate.rules import Rule

_CODE_STYLE: Final = "magenta"


def print_rules(outcome: RulesOutcome, terminal: Terminal) -> None:
    """Print a list by families, or one rule with its reason, fix, and examples."""
    if outcome.view is View.RULE:
        _explain_rule(outcome.rules[0], terminal)
        return
    for line in _rule_lines(outcome.rules):
        print_wrapped(terminal.out, line)
    terminal.report(f"{amount(len(outcome.rules), 'rule')}; run `tdcur rules CODE` to explain one", "dim")


def _rule_lines(rules: tuple[Rule, ...]) -> Iterator[Text]:
    for family, members in groupby(rules, key=lambda rule: Family.of(rule.code)):
        yield Text.assemble((f"{family.name}xx", f"bold {_CODE_STYLE}"), (f"  {family}", "bold"))
        for rule in members:
            yield Text.assemble(
                "  ", (rule.code, _CODE_STYLE), "  ", (f"{rule.severity:<7}", STYLES[rule.severity]), f"  {rule.name}"
            )
        yield Text()


def _explain_rule(rule: Rule, terminal: Terminal) -> None:
    out = terminal.out
    out.print(Text.assemble((rule.code, f"bold {_CODE_STYLE}"), (f" {rule.name}", "bold")))
    out.print(Text.assemble((rule.severity, STYLES[rule.severity]), f", {Family.of(rule.code)}"))
    for title, content in (("Why", rule.why), ("Fix", rule.fix), ("Bad", rule.bad), ("Good", rule.good)):
        if content:
            out.print()
            out.print(Text(title, "bold cyan"))
            out.print(Padding(Text(content), (0, 0, 0, 4), expand=False))
