"""The message of `generate` on standard error: standard output is for its data."""

from td_currents_cli.generate.command import GenerateOutcome
from td_currents_cli.render.figures import amount
from td_currents_cli.render.terminal import Terminal


def report_generated(outcome: GenerateOutcome, terminal: Terminal) -> None:
    """Report in one line what was written where."""
    terminal.report(
        f"{amount(outcome.events, 'event')} in {amount(outcome.batches, 'batch', 'batches')}"
        f" ({outcome.bytes:,} bytes) written to {outcome.output or 'standard output'}"
        f" in {outcome.seconds:.1f} s, seed {outcome.seed}",
        "dim",
    )
