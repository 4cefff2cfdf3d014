"""The query for which of some ids are in a table."""

from collections.abc import Collection
from typing import Final

from td_currents_cli.warehouse.sql.events import IS_EVENT, KIND, NUMBER, REJECTED, Events
from td_currents_cli.warehouse.sql.text import cte, string_literal

MAX_LISTED_IDS: Final = 1000
"""Ids that are listed in a query; for more of them all ids are asked for."""

MAX_LISTED_CHARACTERS: Final = 100_000
"""Characters that the listed ids may have together: Trino takes queries of a million."""


def stored_ids_sql(events: Events, ids: Collection[str]) -> str:
    """The query, in Trino's dialect, for `id` and `kind` of events of a table: those with these ids, or with any.

    `kind` is null for an event; a row or an event that nothing could be made of has a line too, with what it is.

    Args:
        events: of which table.
        ids: that are looked for. Where they are many, or cannot be written down, the result has all that are there.
    """
    meant = f"id IN ({', '.join(map(string_literal, ids))})" if _can_be_listed(ids) else "id IS NOT NULL"
    member = f"{events.member((('id',),))} AS m_id"
    there = f"members\n  WHERE {REJECTED} OR {NUMBER} IS NOT NULL"
    return "\n".join(
        [
            f"WITH {events.lines},",
            cte("members", [NUMBER, REJECTED, IS_EVENT, member], "lines") + ",",
            cte("told", [f"{events.name('m_id')} AS id", f"{KIND} AS kind"], there),
            "SELECT id, kind",
            "FROM told",
            f"WHERE kind IS NOT NULL OR {meant}",
        ]
    )


def _can_be_listed(ids: Collection[str]) -> bool:
    # What cannot be printed may be a half of a character, which no query can hold.
    return (
        0 < len(ids) <= MAX_LISTED_IDS
        and sum(map(len, ids)) <= MAX_LISTED_CHARACTERS
        and all(map(str.isprintable, ids))
    )
