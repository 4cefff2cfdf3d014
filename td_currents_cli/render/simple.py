"""The outcomes of `generate`, `rules`, and `sql`, which take a few lines each."""

from itertools import groupby
from typing import Final

from rich.text import Text

from td_currents_cli.choices import Layout, ProjectKind
from td_currents_cli.generate.command import GenerateOutcome
from td_currents_cli.render.layout import print_hanging
from td_currents_cli.render.terminal import STYLES, Terminal, amount, print_wrapped, write_text
from td_currents_cli.treasure_data.print_sql import SqlOutcome
from td_currents_cli.validate.list_rules import Family, RulesOutcome
from td_currents_cli.validate.rules import Rule
from td_currents_cli.workflow.command import WorkflowOutcome


def report_generated(outcome: GenerateOutcome, terminal: Terminal) -> None:
    """Report in one line what was written where."""
    terminal.report(
        f"{amount(outcome.events, 'event')} in {amount(outcome.batches, 'batch', 'batches')}"
        f" ({outcome.bytes:,} bytes) written to {outcome.output or 'standard output'}"
        f" in {outcome.seconds:.1f} s, seed {outcome.seed}",
        "green",
    )


_CODE_STYLE: Final = "magenta"


def print_rules(outcome: RulesOutcome, terminal: Terminal) -> None:
    """Print a list by families, or one rule with its reason, fix, and examples."""
    if outcome.is_one:
        _explain_rule(outcome.rules[0], terminal)
        return
    for family, members in groupby(outcome.rules, key=lambda rule: Family.of(rule.code)):
        print_wrapped(terminal.out, Text.assemble((f"{family.name}xx", f"bold {_CODE_STYLE}"), (f"  {family}", "bold")))
        for rule in members:
            severity = (f"{rule.severity:<7}", STYLES[rule.severity])
            line = Text.assemble("  ", (rule.code, _CODE_STYLE), "  ", severity, f"  {rule.name}")
            print_wrapped(terminal.out, line)
        print_wrapped(terminal.out, "")
    terminal.report(f"{amount(len(outcome.rules), 'rule')}; run `tdcur rules CODE` to explain one", "dim")


def _explain_rule(rule: Rule, terminal: Terminal) -> None:
    out = terminal.out
    out.print(Text.assemble((rule.code, f"bold {_CODE_STYLE}"), (f" {rule.name}", "bold")))
    out.print(Text.assemble((rule.severity, STYLES[rule.severity]), f"; about {Family.of(rule.code)}"))
    for title, content in (("Why", rule.why), ("Fix", rule.fix), ("Bad", rule.bad), ("Good", rule.good)):
        if content:
            out.print()
            out.print(Text(title, "bold cyan"))
            print_hanging("    ", content, out)


def report_project(outcome: WorkflowOutcome, terminal: Terminal) -> None:
    """List the files that were written, and say what to do with them."""
    for file in outcome.files:
        terminal.print(str(file))
    if outcome.kind is ProjectKind.DIGDAG:
        name = next(file for file in outcome.files if file.suffix == ".dig").stem
        following = f"cd {outcome.folder} && td wf push {name}"
    else:
        following = f"cd {outcome.folder} && dbt build --profiles-dir ."
    terminal.report(f"{amount(len(outcome.files), 'file')} written; read them, then: {following}", "green")


def print_query(outcome: SqlOutcome, terminal: Terminal) -> None:
    """Print the query, ready to copy; the period that it covers goes to standard error."""
    write_text(outcome.sql)
    if outcome.rows is not None:
        # In flat rows, `time` may be the event time.
        which = "rows with `time`" if outcome.layout is Layout.FLAT else "rows received"
        terminal.report(f"covers {which} from {outcome.rows}", "dim")
    for note in outcome.notes:
        terminal.report(note)
