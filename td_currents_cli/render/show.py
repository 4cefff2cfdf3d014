"""The events of `tdcur show`: pretty-printed, in color, each below its place."""

from typing import Final

import msgspec
from rich.highlighter import JSONHighlighter

from td_currents_cli.render.terminal import Terminal, amount, print_problems, printable
from td_currents_cli.show import HIDDEN, ShowOutcome

_highlighted: Final = JSONHighlighter()


def print_events(outcome: ShowOutcome, terminal: Terminal) -> None:
    """Print the events, then what could not be read, then whether there may be more."""
    for place, each in enumerate(outcome.events):
        terminal.print(f"{printable(str(each.location))}, event {each.index}", "bold cyan")
        # Only white space is added: numbers and escapes stay as they are.
        pretty = msgspec.json.format(each.event, indent=2).decode("utf-8", "surrogatepass")
        terminal.out.print(_highlighted(pretty), soft_wrap=True)
        if place < len(outcome.events) - 1:
            terminal.out.print()
    print_problems(outcome.problems, terminal)
    for missing in outcome.missing:
        terminal.report(f"no event has the id {printable(missing)}", "yellow")
    if outcome.is_limited:
        shown = f"{amount(len(outcome.events), 'event')} shown"
        terminal.report(f"{shown}; use --limit for more", "dim")
    elif not outcome.events and not outcome.missing:
        terminal.report("no events" if not outcome.balance.events_read else "no event matches", "yellow")
    if any(HIDDEN.encode() in each.event for each in outcome.events):
        terminal.report("personal data is shown as ***; use --unmask to see it", "dim")
