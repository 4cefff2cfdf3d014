"""The rules of `tdcur validate` as a list, or one of them explained."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rich.padding import Padding
from rich.text import Text

from td_currents_cli.render.figures import amount
from td_currents_cli.render.problems import STYLES
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.validate.listing import Family, RulesOutcome, View
from td_currents_cli.validate.rules import Rule

_CODES: Final = "magenta"


def text(outcome: RulesOutcome, terminal: Terminal) -> None:
    """A list by families, or one rule with its reason, its mend and examples."""
    if outcome.view is View.RULE:
        _explain(outcome.rules[0], terminal)
        return
    for line in _list(outcome.rules):
        terminal.out.print(line, soft_wrap=True)
    terminal.say(f"{amount(len(outcome.rules), 'rule')}; tdcur rules CODE explains one", "dim")


def _list(rules: tuple[Rule, ...]) -> Iterator[Text]:
    for family, members in groupby(rules, key=lambda rule: Family.of(rule.code)):
        yield Text.assemble((f"{family.name}xx", f"bold {_CODES}"), (f"  {family}", "bold"))
        for rule in members:
            yield Text.assemble(
                "  ", (rule.code, _CODES), "  ", (f"{rule.severity:<7}", STYLES[rule.severity]), f"  {rule.name}"
            )
        yield Text()


def _explain(rule: Rule, terminal: Terminal) -> None:
    out = terminal.out
    out.print(Text.assemble((rule.code, f"bold {_CODES}"), (f" {rule.name}", "bold")))
    out.print(Text.assemble((rule.severity, STYLES[rule.severity]), f", {Family.of(rule.code)}"))
    for title, said in (("Why", rule.why), ("Fix", rule.fix), ("Bad", rule.bad), ("Good", rule.good)):
        if said:
            out.print()
            out.print(Text(title, "bold cyan"))
            out.print(Padding(Text(said), (0, 0, 0, 4), expand=False))
