"""A query on standard output."""

from td_currents_cli.render import write_text
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.treasure_data.print_sql import SqlOutcome


def print_query(outcome: SqlOutcome, terminal: Terminal) -> None:
    """Print the query, ready to copy; the period that it covers goes to standard error."""
    write_text(outcome.sql)
    if outcome.rows is not None:
        terminal.report(f"covers rows received from {outcome.rows} (UTC)", "dim")
