"""The query that counts events for people: short, with named columns, sorted.

A cell must be an array of events as JSON text, or empty; any other ends the query. `count_sql` accounts for every row.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from td_currents_cli.braze import LATEST, PLACES
from td_currents_cli.treasure_data.sql.count import CountQuery, Expression, FieldKey, Key
from td_currents_cli.treasure_data.sql.events import BatchEvents, Paths
from td_currents_cli.treasure_data.sql.text import (
    cte,
    filter_condition,
    identifier,
    json_path,
    receive_time_condition,
    string_literal,
    table_identifier,
)

_ARRAY: Final = "CAST(JSON_PARSE(NULLIF({0}, '')) AS ARRAY(JSON))"
_FLAT: Final = tuple(f"{place}_" for place in PLACES)
_NTH_OF_ID: Final = "CASE WHEN id IS NULL THEN 1 ELSE ROW_NUMBER() OVER (PARTITION BY id ORDER BY received, n) END"


def short_count_sql(query: CountQuery, names: Sequence[str], zone: str) -> str:
    """Write the Trino query: a column for each of the names of the keys, `events`, `users`, and times in a zone."""
    tables = [cte("events", [_named(value, name) for name, value in _fields(query)], _source(query))]
    wanted = f"events\nWHERE {filter_condition(query.filter, 'event_type', 'happened')}"
    if query.dedupe:
        tables.append(cte("numbered", ["*", f"{_NTH_OF_ID} AS nth"], wanted.replace("\n", "\n  ")))
        wanted = "numbered\nWHERE nth = 1"
    columns = [_group(place, name, key) for place, (name, key) in enumerate(zip(names, query.by, strict=True))]
    columns.append("COUNT(*) AS events")
    if query.unique:
        columns.append("COUNT(DISTINCT id) AS unique_events")
    columns.append("COUNT(DISTINCT customer) AS users")
    for function, name in (("MIN", "first_event"), ("MAX", "last_event")):
        moment = f"FROM_UNIXTIME({function}(happened))"
        columns.append(f"{moment if zone == 'UTC' else f'AT_TIMEZONE({moment}, {string_literal(zone)})'} AS {name}")
    numbers = ", ".join(str(number + 1) for number in range(len(names)))
    listed = ",\n  ".join(columns)
    return "\n".join(
        [
            "WITH " + ",\n".join(tables),
            f"SELECT\n  {listed}",
            f"FROM {wanted.removesuffix(f'{chr(10)}WHERE TRUE')}",
            f"GROUP BY {numbers}",
            f"ORDER BY {numbers}",
        ]
    )


def _fields(query: CountQuery) -> Iterator[tuple[str, str]]:
    events = query.events
    is_flat = not isinstance(events, BatchEvents)

    def text(paths: Paths) -> str:
        if is_flat:
            return events.name(events.extract(paths))
        each = [f"NULLIF(JSON_EXTRACT_SCALAR(event, {_path(path)}), '')" for path in paths]
        return each[0] if len(each) == 1 else f"COALESCE({', '.join(each)})"

    def in_event(paths: Paths) -> Paths:
        """Leave out the names that fields have only in flat events."""
        return paths if is_flat else [path for path in paths if not path[0].startswith(_FLAT)] or paths

    yield "event_type", text((("event_type",),))
    time = events.extract((("time",),)) if is_flat else "JSON_EXTRACT_SCALAR(event, '$.time')"
    number = f"TRY_CAST({time} AS DOUBLE)"
    # A larger number would fail as a time, and the whole query with it.
    yield "happened", f"CASE WHEN {number} BETWEEN 0 AND {LATEST} THEN {number} END"
    yield "customer", text(in_event(query.users))
    if query.dedupe or query.unique:
        yield "id", text((("id",),))
    if query.dedupe:
        yield "received", "time"
        yield "n", "1" if is_flat else "n"
    for place, key in enumerate(query.by):
        if isinstance(key, FieldKey):
            yield f"f{place}", events.value(events.extract(in_event(key.paths)))


def _named(expression: str, name: str) -> str:
    return name if expression == name else f"{expression} AS {name}"


def _group(place: int, name: str, key: Key) -> str:
    if isinstance(key, FieldKey):
        return f"f{place} AS {identifier(name)}"
    return _named(key.text if isinstance(key, Expression) else key, name)


def _path(names: Sequence[str]) -> str:
    return string_literal("$." + ".".join(names)) if all(map(str.isidentifier, names)) else json_path(names)


def _source(query: CountQuery) -> str:
    events = query.events
    rows = f"{table_identifier(events.address)}"
    if isinstance(events, BatchEvents):
        array, n = _ARRAY.format(identifier(events.address.column)), " WITH ORDINALITY" * query.dedupe
        columns = "(event, n)" if query.dedupe else "(event)"
        rows += f"\n  CROSS JOIN UNNEST({array}){n} AS batch {columns}"
    return f"{rows}\n  WHERE {receive_time_condition(events.rows)}"
