"""The query that counts events, in one scan, and accounts for every row and event."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from td_currents_cli.events.filter import Filter
from td_currents_cli.treasure_data.sql.events import (
    IS_EVENT,
    NUMBER,
    RECEIVED,
    REJECTED,
    REJECTED_EVENT,
    REJECTED_ROW,
    Events,
    Paths,
)
from td_currents_cli.treasure_data.sql.text import cte, filter_condition, is_canary, string_literal


class FieldKey(Struct, frozen=True):
    """A field of the event."""

    paths: Paths


class Expression(Struct, frozen=True):
    """The value of an SQL expression over the columns of `Events.lines` and `Events.opened`."""

    text: str


Key: TypeAlias = FieldKey | Expression | str
"""A string is an SQL expression over `event_type`, and `happened` in UNIX seconds."""

TYPE_KEY: Final = "event_type"

_WORDS: Final = f"SPLIT({TYPE_KEY}, '.')"
_ABOUT: Final = (
    f"FILTER(SLICE({_WORDS}, 1, CARDINALITY({_WORDS}) - 1), word -> word NOT IN ('users', 'messages', 'behaviors'))"
)
CHANNEL_KEY: Final = (
    "REGEXP_REPLACE("
    f"COALESCE(ELEMENT_AT({_ABOUT}, 1), ELEMENT_AT({_WORDS}, NULLIF(CARDINALITY({_WORDS}) - 1, 0)), {TYPE_KEY})"
    ", '^canvasstep$', 'canvas')"
)
"""The equivalent of `catalog.model.channel_of`."""

PATTERNS: Final = {"hour": "yyyy-MM-dd'T'HH:00", "day": "yyyy-MM-dd", "week": "xxxx-'W'ww", "month": "yyyy-MM"}
"""In the syntax of FORMAT_DATETIME (Joda-Time)."""

SECOND_HOUR: Final = "+"
"""Ends the name of an hour that occurs for the second time, when clocks go back."""


def bucket_key(unit: str, zone: str) -> str:
    """Name the hour, day, week or month of the event time in a zone, given by its IANA name."""
    name, hour_before = _bucket_name("happened", unit, zone), _bucket_name("happened - 3600", unit, zone)
    if unit != "hour" or zone == "UTC":
        return name
    return f"{name} || CASE WHEN {name} = {hour_before} THEN {string_literal(SECOND_HOUR)} ELSE '' END"


def _bucket_name(seconds: str, unit: str, zone: str) -> str:
    moment = f"AT_TIMEZONE(FROM_UNIXTIME({seconds}), {string_literal(zone)})"
    return f"FORMAT_DATETIME({moment}, {string_literal(PATTERNS[unit])})"


EVENT: Final = "event"
DUPLICATE: Final = "duplicate"
FILTERED: Final = "filtered"
CANARY_EVENT: Final = "canary"
EMPTY_ROW: Final = "empty row"


class CountQuery(Struct, frozen=True, kw_only=True):
    events: Events
    by: Sequence[Key]
    filter: Filter
    unique: bool  # also count distinct ids and users
    dedupe: bool  # count only the first event of each id
    users: Paths  # paths of the user id


def count_sql(query: CountQuery) -> str:
    """Write the Trino query.

    Its result has a row for each kind and group: `kind`, a column for each key, `is_total` (1 in the row for all
    groups together), `row_count`, `event_count`, `first`, `last`, `unique_events`, `unique_users`.
    """
    keys = [f"k{number}" for number in range(len(query.by))]
    plain = ", ".join(["kind", *keys])
    grouped = f"GROUPING SETS (({plain}), (kind))" if query.unique else plain
    return "\n".join(
        [
            f"WITH {query.events.lines},",
            _extracted(query) + ",",
            _fields(query) + ",",
            _kinds(query) + ",",
            _deduped(query) + ",",
            cte("keyed", ["*", *_keyed(query)], "deduped"),
            "SELECT",
            f"  {plain},",
            f"  {f'GROUPING({keys[0]})' if query.unique else '0'} AS is_total,",
            f"  COUNT_IF({NUMBER} IS NULL OR {NUMBER} = 1) AS row_count,",
            f"  COUNT({NUMBER}) AS event_count,",
            "  MIN(happened) AS first,",
            "  MAX(happened) AS last,",
            f"  {'COUNT(DISTINCT id)' if query.unique else '0'} AS unique_events,",
            f"  {'COUNT(DISTINCT customer)' if query.unique else '0'} AS unique_users",
            "FROM keyed",
            f"GROUP BY {grouped}",
        ]
    )


_LINE: Final = f"{RECEIVED}, {NUMBER}, {REJECTED}, {IS_EVENT}"


def _extracted(query: CountQuery) -> str:
    extracted: dict[str, Paths] = {"event_type": (("event_type",),), "time": (("time",),)}
    if query.unique or query.dedupe:
        extracted["id"] = (("id",),)
    if query.unique:
        extracted["customer"] = query.users
    extracted |= {f"f{number}": key.paths for number, key in enumerate(query.by) if isinstance(key, FieldKey)}
    listed = [f"{query.events.extract(paths)} AS m_{column}" for column, paths in extracted.items()]
    expressions = [f"{key.text} AS m_f{number}" for number, key in enumerate(query.by) if isinstance(key, Expression)]
    if not expressions:
        return cte("extracted", [_LINE, *listed], "lines")
    opened = cte("opened", ["*", *query.events.opened], "lines")
    return f"{opened},\n{cte('extracted', [_LINE, *listed, *expressions], 'opened')}"


def _fields(query: CountQuery) -> str:
    events, null = query.events, "CAST(NULL AS VARCHAR)"
    columns = {
        "event_type": events.name("m_event_type"),
        "happened": events.seconds("m_time"),
        "id": events.name("m_id") if query.unique or query.dedupe else null,
        "customer": events.name("m_customer") if query.unique else null,
    }
    columns |= {f"f{n}": events.value(f"m_f{n}") for n, key in enumerate(query.by) if isinstance(key, FieldKey)}
    columns |= {f"f{n}": f"m_f{n}" for n, key in enumerate(query.by) if isinstance(key, Expression)}
    listed = [f"{expression} AS {column}" for column, expression in columns.items()]
    return cte("fields", [_LINE, *listed], "extracted")


def _kinds(query: CountQuery) -> str:
    found = [
        "CASE",
        f"  WHEN {REJECTED} THEN {string_literal(REJECTED_ROW)}",
        f"  WHEN {NUMBER} IS NULL THEN {string_literal(EMPTY_ROW)}",
        f"  WHEN NOT {IS_EVENT} THEN {string_literal(REJECTED_EVENT)}",
        *([] if query.filter.canaries else [f"  WHEN {is_canary('event_type')} THEN {string_literal(CANARY_EVENT)}"]),
        f"  WHEN {filter_condition(query.filter, 'event_type', 'happened')} THEN {string_literal(EVENT)}",
        f"  ELSE {string_literal(FILTERED)}",
        "END AS found",
    ]
    return cte("kinds", ["*", "\n    ".join(found)], "fields")


def _deduped(query: CountQuery) -> str:
    kind = "found"
    if query.dedupe:
        first = f"ROW_NUMBER() OVER (PARTITION BY found, id ORDER BY {RECEIVED}, {NUMBER}) = 1"
        kind = (
            f"CASE WHEN found = {string_literal(EVENT)} AND id IS NOT NULL AND NOT {first}"
            f" THEN {string_literal(DUPLICATE)} ELSE found END"
        )
    return cte("deduped", ["*", f"{kind} AS kind"], "kinds")


def _keyed(query: CountQuery) -> list[str]:
    # Only counted events need a group.
    used = f"kind IN ({string_literal(EVENT)}, {string_literal(DUPLICATE)})"
    keys = [key if isinstance(key, str) else f"f{number}" for number, key in enumerate(query.by)]
    return [f"CASE WHEN {used} THEN {key} END AS k{number}" for number, key in enumerate(keys)]
