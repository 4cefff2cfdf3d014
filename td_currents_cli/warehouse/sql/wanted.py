"""Which events are meant, as a condition."""

import re
from typing import Final

from td_currents_cli.choices import Dialect
from td_currents_cli.events.filter import Filter, TypeGlobs

_CHARACTER_CLASS: Final = re.compile(r"\[(!?)(\]?[^\]]*)\]", re.DOTALL)


def filter_condition(meant: Filter, event_type: str, seconds: str, dialect: Dialect = Dialect.TRINO) -> str:
    """The condition that an event is meant; never null.

    Args:
        meant: which ones.
        event_type: the column with the type; null where it is none.
        seconds: the column with the time; null where it is none.
        dialect: to say it in.
    """
    conditions = [*_type_conditions(meant.types, f"LOWER({event_type})", dialect)]
    if meant.timed:
        conditions.append(f"{seconds} IS NOT NULL")
    if meant.since is not None:
        conditions.append(f"{seconds} >= {meant.since!r}")
    if meant.until is not None:
        conditions.append(f"{seconds} < {meant.until!r}")
    return f"COALESCE({' AND '.join(conditions)}, FALSE)" if conditions else "TRUE"


def _type_conditions(globs: TypeGlobs, column: str, dialect: Dialect) -> list[str]:
    conditions = []
    if globs.included:
        conditions.append(f"({' OR '.join(dialect.matches(column, glob_to_regex(glob)) for glob in globs.included)})")
    conditions += [f"NOT COALESCE({dialect.matches(column, glob_to_regex(glob))}, FALSE)" for glob in globs.excluded]
    return conditions


def glob_to_regex(glob: str) -> str:
    """A glob, as `fnmatch` has them, as a regular expression that Trino and Hive, Java both, understand."""
    parts, place = [], 0
    while place < len(glob):
        match = _CHARACTER_CLASS.match(glob, place)
        if glob[place] == "*":
            parts.append(".*")
        elif glob[place] == "?":
            parts.append(".")
        elif match:
            inside = re.sub(r"([\\\[\]&^~])", r"\\\1", match[2])
            parts.append(f"[{'^' if match[1] else ''}{inside}]")
            place = match.end() - 1
        else:
            parts.append(re.escape(glob[place]))
        place += 1
    return rf"(?s)^{''.join(parts)}\z"
