"""What `tdcur parse` says beside its data."""

from td_currents_cli.catalog.columns import OTHER_FIELDS
from td_currents_cli.insert import InsertOutcome
from td_currents_cli.parse import ParseOutcome
from td_currents_cli.render.figures import amount, balance_line
from td_currents_cli.render.problems import OF_ROWS, show_problems
from td_currents_cli.render.terminal import Terminal, printable


def text(outcome: ParseOutcome | InsertOutcome, terminal: Terminal) -> None:
    """The problems, where the batches were found or the events are, and the balance, on standard error."""
    show_problems(outcome.problems, terminal, OF_ROWS)
    if isinstance(outcome, InsertOutcome):
        _inserted(outcome, terminal)
    else:
        _read(outcome, terminal)
    terminal.say(balance_line(outcome.balance, "written"), "dim")


def _read(outcome: ParseOutcome, terminal: Terminal) -> None:
    for name, near in outcome.unknown.items():
        meant = f"; did you mean `{near}`?" if near else ""
        terminal.say(f"--fields: `{printable(name)}` is not in the catalogue{meant}", "yellow")
    if outcome.formats:
        terminal.say("; ".join(map(str, outcome.formats)), "dim")


def _inserted(outcome: InsertOutcome, terminal: Terminal) -> None:
    made = "made and " if outcome.created else ""
    if outcome.inserted is None:
        terminal.say(f"{outcome.into} {made}filled; Treasure Data does not tell with how many events")
    else:
        terminal.say(f"{outcome.into} {made}filled with {amount(outcome.inserted, 'event')}")
        if outcome.inserted != outcome.balance.events_out:
            terminal.say("the query before counted another number: rows came meanwhile", "yellow")
    if outcome.others:
        have = "has" if outcome.others == 1 else "have"
        told = f"{amount(outcome.others, 'event')} {have} fields that no column takes: those are in `{OTHER_FIELDS}`"
        terminal.say(told, "yellow")
