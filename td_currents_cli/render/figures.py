"""Numbers and nouns for people."""

from typing import Final

from td_currents_cli.outcome import Balance

LOST: Final = "lost in truncated cells"


def amount(number: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun: `1 event`, `1,200 events`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """Format a share between 0 and 1: `12.5 %`."""
    return f"{share:.1%}".replace("%", " %")


def balance_line(balance: Balance, verb: str) -> str:
    """Account for every row and event of a run on one line, leaving out what did not happen.

    Args:
        balance: of the run.
        verb: what was done to the events, such as `counted`.
    """
    others = (
        (balance.duplicates, "duplicates"),
        (balance.filtered, "filtered"),
        (balance.events_rejected, "rejected"),
        (balance.lost, LOST),
    )
    return format_balance(balance, balance.events_out, verb, others)


def format_balance(balance: Balance, used: int, verb: str, others: tuple[tuple[int, str], ...]) -> str:
    """Format rows and events, as an equation only where some were not used."""
    rows, separator = amount(balance.rows_read, "row"), ", "
    if balance.rows_rejected:
        rows, separator = f"{rows} read = {balance.rows_good:,} good + {balance.rows_rejected:,} rejected", "; "
    if used == balance.events_read:
        return f"{rows}{separator}{amount(used, 'event')} {verb}"
    parts = [f"{used:,} {verb}", *(f"{number:,} {what}" for number, what in others if number)]
    return f"{rows}{separator}{amount(balance.events_read, 'event')} read = {' + '.join(parts)}"
