"""The messages of `tdcur count` on standard error."""

from datetime import UTC
from typing import Final

from td_currents_cli.catalog import load
from td_currents_cli.catalog.model import nearest
from td_currents_cli.count import CountOutcome
from td_currents_cli.count.dimensions import BY_NAME
from td_currents_cli.render.figures import amount, balance_line
from td_currents_cli.render.problems import ROW_CODES, print_problems
from td_currents_cli.render.terminal import Terminal, printable

SHOWN_UNKNOWN: Final = 5
"""Unknown types that are named."""


def report_count(outcome: CountOutcome, terminal: Terminal) -> None:
    """Report the problems, unknown types and fields, and the balance."""
    print_problems(outcome.problems, terminal, ROW_CODES)
    if terminal.quiet:
        return
    for name in outcome.unknown_types[:SHOWN_UNKNOWN]:
        near = load().suggest(name)
        suggestion = f"; did you mean `{near}`?" if near else ""
        terminal.report(f"`{printable(name)}` is not in the catalog{suggestion}", "yellow")
    if len(outcome.unknown_types) > SHOWN_UNKNOWN:
        more = amount(len(outcome.unknown_types) - SHOWN_UNKNOWN, "more type")
        terminal.report(f"… and {more} not in the catalog", "yellow")
    for name in outcome.absent_fields:
        near = nearest(name.rpartition(".")[2], _known_names(), separator="_")
        suggestion = f"; did you mean `{near}`?" if near and near != name else ""
        terminal.report(f"no event has the field `{printable(name)}`{suggestion}", "yellow")
    if outcome.spilled:
        terminal.report(f"{amount(outcome.spilled, 'id')} kept in a temporary file to limit memory use", "dim")
    if outcome.zone is not UTC:
        terminal.report(f"times in {outcome.zone}", "dim")
    terminal.report(balance_line(outcome.balance, "counted"), "dim")


def _known_names() -> tuple[str, ...]:
    fields = (field.name for event in load().events.values() for field in event.fields)
    return tuple(dict.fromkeys((*BY_NAME, *fields)))
