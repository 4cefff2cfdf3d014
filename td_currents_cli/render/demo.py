"""How the demo ends."""

from td_currents_cli.demo import DemoOutcome
from td_currents_cli.render.terminal import Terminal


def text(outcome: DemoOutcome, terminal: Terminal) -> None:
    """The comparison of ids sent and ids parsed, in one line."""
    if outcome.exit_code:
        terminal.show(f"\n{outcome.missing:,} ids are missing, {outcome.unexpected:,} were not sent.", "bold red")
    else:
        terminal.show(f"\nAll {outcome.sent:,} event ids that were sent have arrived.", "bold green")
