"""What `tdcur count` says beside its data."""

from datetime import UTC

from td_currents_cli.catalog import load
from td_currents_cli.catalog.suggest import nearest
from td_currents_cli.count import CountOutcome
from td_currents_cli.count.dimension import BY_NAME
from td_currents_cli.render.figures import amount, balance_line
from td_currents_cli.render.problems import OF_ROWS, show_problems
from td_currents_cli.render.terminal import Terminal, printable

SHOWN = 5
"""Unknown types that are named."""


def talk(outcome: CountOutcome, terminal: Terminal) -> None:
    """The problems, what in the counts may surprise, and the balance, on standard error."""
    show_problems(outcome.problems, terminal, OF_ROWS)
    if terminal.quiet:
        return
    for name in outcome.unknown_types[:SHOWN]:
        near = load().suggest(name)
        meant = f"; did you mean `{near}`?" if near else ""
        terminal.say(f"`{printable(name)}` is not in the catalogue{meant}", "yellow")
    if len(outcome.unknown_types) > SHOWN:
        more = amount(len(outcome.unknown_types) - SHOWN, "more type")
        terminal.say(f"… and {more} that the catalogue does not have", "yellow")
    for name in outcome.absent_fields:
        near = nearest(name.rpartition(".")[2], _names(), separator="_")
        meant = f"; did you mean `{near}`?" if near and near != name else ""
        terminal.say(f"no event has a field `{printable(name)}`{meant}", "yellow")
    if outcome.spilled:
        terminal.say(f"{amount(outcome.spilled, 'id')} went to a temporary file, for want of memory", "dim")
    if outcome.zone is not UTC:
        terminal.say(f"times in {outcome.zone}", "dim")
    terminal.say(balance_line(outcome.balance, "counted"), "dim")


def _names() -> tuple[str, ...]:
    """What else events can be counted by: by name, or by a field that the catalogue has."""
    fields = (field.name for event in load().events.values() for field in event.fields)
    return tuple(dict.fromkeys((*BY_NAME, *fields)))
