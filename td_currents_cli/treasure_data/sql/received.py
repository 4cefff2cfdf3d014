"""The query that counts events by type and by the time when their rows were received."""

from typing import Final

from td_currents_cli.events.filter import Filter
from td_currents_cli.treasure_data.sql.events import IS_EVENT, REJECTED, Events
from td_currents_cli.treasure_data.sql.text import cte, filter_condition

_RECEIVED: Final = "received"
_TYPE: Final = '"usable type"'
_HAPPENED: Final = '"usable seconds"'


def received_sql(events: Events, wanted: Filter, group: str, until: int) -> str:
    """Write the Trino query for `event_type`, `bucket`, `events` and `last_received`, a UNIX time.

    `group` is the expression for the bucket. Rows received at `until` or later, a UNIX time, are left out: `time` may
    be set by what inserts a row, and the last one would seem new for as long as it is in the future. Rows that could
    not be read count as received, with zero events without a type, unless the filter is for some types.
    """
    extracted = [f"{events.extract(((field,),))} AS m_{field}" for field in ("event_type", "time")]
    usable = [f"{events.name('m_event_type')} AS {_TYPE}", f"{events.seconds('m_time')} AS {_HAPPENED}"]
    unreadable = "" if wanted.types else f" OR {REJECTED}"
    return "\n".join(
        [
            f"WITH {events.lines},",
            cte("extracted", [f"{events.received} AS {_RECEIVED}", REJECTED, IS_EVENT, *extracted], "lines") + ",",
            cte("usable", [_RECEIVED, REJECTED, IS_EVENT, *usable], "extracted"),
            "SELECT",
            f"  {_TYPE} AS event_type,",
            f"  {group} AS bucket,",
            f"  COUNT_IF({IS_EVENT}) AS events,",
            f"  MAX({_RECEIVED}) AS last_received",
            "FROM usable",
            f"WHERE {_RECEIVED} < {until}",
            f"  AND (({IS_EVENT} AND {filter_condition(wanted, _TYPE, _HAPPENED)}){unreadable})",
            "GROUP BY 1, 2",
        ]
    )


HOUR_NUMBER: Final = f"CAST(FLOOR({_RECEIVED} / 3600) AS BIGINT)"
"""A bucket for each hour: its number since 1970."""


def is_between(first: int, end: int) -> str:
    """Write the buckets 1, for rows received from `first` until before `end` (in UNIX seconds), and 0 for others."""
    return f"CASE WHEN {_RECEIVED} >= {first} AND {_RECEIVED} < {end} THEN 1 ELSE 0 END"
