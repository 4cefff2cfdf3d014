"""Numbers and nouns as people read them."""

from td_currents_cli.outcome import Balance


def amount(number: int, noun: str, plural: str = "") -> str:
    """`1 event`, `1,200 events`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def balance_line(balance: Balance, done: str) -> str:
    """Where every row and event went, on one line; what did not happen is left out.

    Args:
        balance: of the run.
        done: what was done to the events that were used, as `counted`.
    """
    rows = [f"{balance.rows_good:,} good"]
    if balance.rows_rejected:
        rows.append(f"{balance.rows_rejected:,} rejected")
    events = [f"{balance.events_out:,} {done}"]
    for number, what in (
        (balance.duplicates, "duplicates"),
        (balance.filtered, "filtered"),
        (balance.events_rejected, "rejected"),
        (balance.lost, "lost in cells that are cut off"),
    ):
        if number:
            events.append(f"{number:,} {what}")
    return (
        f"{amount(balance.rows_read, 'row')} read = {' + '.join(rows)}; "
        f"{amount(balance.events_read, 'event')} read = {' + '.join(events)}"
    )
