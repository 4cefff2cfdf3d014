"""An event filter as an SQL condition."""

import re
from typing import Final

from td_currents_cli.choices import Dialect
from td_currents_cli.events.filter import Filter, TypeGlobs

_CHARACTER_CLASS: Final = re.compile(r"\[(!?)(\]?[^\]]*)\]", re.DOTALL)


def filter_condition(event_filter: Filter, event_type: str, seconds: str, dialect: Dialect = Dialect.TRINO) -> str:
    """Write a condition that is never null; the columns of the type and the time are null if invalid."""
    conditions = [*_type_conditions(event_filter.types, f"LOWER({event_type})", dialect)]
    if event_filter.timed:
        conditions.append(f"{seconds} IS NOT NULL")
    if event_filter.since is not None:
        conditions.append(f"{seconds} >= {event_filter.since!r}")
    if event_filter.until is not None:
        conditions.append(f"{seconds} < {event_filter.until!r}")
    return f"COALESCE({' AND '.join(conditions)}, FALSE)" if conditions else "TRUE"


def _type_conditions(globs: TypeGlobs, column: str, dialect: Dialect) -> list[str]:
    conditions = []
    if globs.included:
        conditions.append(f"({' OR '.join(dialect.matches(column, glob_to_regex(glob)) for glob in globs.included)})")
    conditions += [f"NOT COALESCE({dialect.matches(column, glob_to_regex(glob))}, FALSE)" for glob in globs.excluded]
    return conditions


def glob_to_regex(glob: str) -> str:
    """Convert a glob of `fnmatch` to a regular expression of Java, which Trino and Hive use."""
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
