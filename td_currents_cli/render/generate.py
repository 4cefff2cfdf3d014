"""What `generate` says: its data goes to standard output, so this goes to standard error."""

from td_currents_cli.generate.run import GenerateOutcome
from td_currents_cli.render.figures import amount
from td_currents_cli.render.terminal import Terminal


def text(outcome: GenerateOutcome, terminal: Terminal) -> None:
    """Say in one line what was written where."""
    terminal.say(
        f"{amount(outcome.events, 'event')} in {amount(outcome.batches, 'batch', 'batches')}"
        f" ({outcome.bytes:,} bytes) written to {outcome.output or 'standard output'}"
        f" in {outcome.seconds:.1f} s, seed {outcome.seed}",
        "dim",
    )
