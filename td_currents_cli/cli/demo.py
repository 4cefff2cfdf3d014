"""`tdcur demo`."""

from td_currents_cli.cli.command import command
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal


@command(examples=("tdcur demo",))
def demo(*, terminal: Terminal) -> Outcome:
    """Validate, send, parse, count, and reconcile sample events."""
    from td_currents_cli.demo import DemoRequest, run  # noqa: PLC0415 -- a command loads only what it runs

    return run(DemoRequest(write=terminal.print, options=("--color", terminal.color)))
