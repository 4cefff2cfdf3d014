"""How the demo ends."""

from td_currents_cli.demo import DemoOutcome
from td_currents_cli.render.terminal import Terminal


def text(_outcome: DemoOutcome, _terminal: Terminal) -> None:
    """Nothing: the last word is that of `tdcur reconcile`."""
