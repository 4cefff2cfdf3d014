"""A query as text."""

from td_currents_cli.query import SqlOutcome
from td_currents_cli.render import write_text
from td_currents_cli.render.terminal import Terminal


def text(outcome: SqlOutcome, terminal: Terminal) -> None:
    """The query on standard output, as it can be pasted; the time that it is about on standard error."""
    write_text(outcome.sql)
    if outcome.rows is not None:
        terminal.say(f"about rows received from {outcome.rows} (UTC)", "dim")
