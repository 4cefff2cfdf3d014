"""The query that looks for ids in a table."""

from collections.abc import Collection
from typing import Final

from td_currents_cli.warehouse.sql.events import IS_EVENT, KIND, NUMBER, REJECTED, Events
from td_currents_cli.warehouse.sql.text import cte, string_literal

MAX_LISTED_IDS: Final = 1000  # with more, the query returns all ids
MAX_LISTED_CHARACTERS: Final = 100_000  # in all listed ids; Trino accepts queries of a million


def stored_ids_sql(events: Events, ids: Collection[str]) -> str:
    """Write the Trino query for `id` and `kind` of the events with these ids, or of all if there are too many ids.

    `kind` is null for an event; a rejected row or event has a row of its own.
    """
    condition = f"id IN ({', '.join(map(string_literal, ids))})" if _can_be_listed(ids) else "id IS NOT NULL"
    extracted = f"{events.extract((('id',),))} AS m_id"
    source = f"extracted\n  WHERE {REJECTED} OR {NUMBER} IS NOT NULL"
    return "\n".join(
        [
            f"WITH {events.lines},",
            cte("extracted", [NUMBER, REJECTED, IS_EVENT, extracted], "lines") + ",",
            cte("ids", [f"{events.name('m_id')} AS id", f"{KIND} AS kind"], source),
            "SELECT id, kind",
            "FROM ids",
            f"WHERE kind IS NOT NULL OR {condition}",
        ]
    )


def _can_be_listed(ids: Collection[str]) -> bool:
    # An unprintable character may be a lone surrogate, which a query cannot contain.
    return (
        0 < len(ids) <= MAX_LISTED_IDS
        and sum(map(len, ids)) <= MAX_LISTED_CHARACTERS
        and all(map(str.isprintable, ids))
    )
