"""What to do where the column that `--column` names is not in a table."""

from collections.abc import Sequence
from typing import Final

from td_currents_cli.suggestions import nearest

_SHOWN: Final = 12  # names of a table with many columns


def columns_hint(column: str | int, names: Sequence[str]) -> str:
    """Name the columns that exist, a similar one first; without a header, names are empty."""
    if not any(names):
        return f"Use the number of a column: 1 to {len(names)}."
    near = nearest(column, tuple(names), separator="_") if isinstance(column, str) else None
    suggestion = f"Did you mean --column {near}? " if near else ""
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{suggestion}The columns are: {', '.join(names[:_SHOWN])}{more}."
