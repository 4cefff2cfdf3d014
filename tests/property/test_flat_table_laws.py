"""Laws of flat tables: whatever JSON an event holds, its row has all of it."""

import json
import re
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from td_currents_cli.catalog import FieldType, Where
from td_currents_cli.catalog.ddl import OTHER_FIELDS, TableColumn
from td_currents_cli.choices import Layout
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.sql.events import table_events
from td_currents_cli.treasure_data.sql.queries import FlattenQuery, flatten_sql
from tests.td_service.engine import Engine

law = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

RECEIVED = 5_000_000_000
COLUMNS = [
    TableColumn("number", Where.EVENT, "number", FieldType.INT),
    TableColumn("id", Where.EVENT, "id", FieldType.STRING),
    TableColumn("time", Where.EVENT, "time", FieldType.INT),
    TableColumn("user_a", Where.USER, "a", FieldType.STRING),
    TableColumn("properties_a", Where.PROPERTIES, "a", FieldType.LONG),
    TableColumn("properties_b", Where.PROPERTIES, "b", FieldType.FLOAT),
]
EVENTS = table_events(parse_address("td://braze/raw"), Layout.BATCHES, Period(0.0), ())
SQL = flatten_sql(FlattenQuery(events=EVENTS, columns=COLUMNS))
TABLE: list[dict[str, Any]] = []
ENGINE = Engine({("braze", "raw"): TABLE})
NUMBERS = [0, -1, 1.5, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 1_782_900_000, 1e300]
TEXTS = ["", "null", "true", "1", "007", "1.50", "1e5", "NaN", " 1", '"', "\\", "{", "[1]", "☃😀", "it's"]
NAMES = ["id", "time", "a", "b", "user", "properties", "user.a", ".user.a", "properties.b", ".", "", "A", "'", '"', "☃"]

scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS)
names = st.sampled_from(NAMES)
nested = st.lists(scalars, max_size=2) | st.dictionaries(names, scalars, max_size=2)
members = st.dictionaries(names, scalars | nested, max_size=4)
places = st.fixed_dictionaries({}, optional={"user": members, "properties": members})
events = st.builds(lambda beside, inside: {**beside, **inside}, members, places)


def placed(event: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Of each member: the name of a column that would be for it, its name among other fields, and its value."""
    for name, value in event.items():
        if name in {"user", "properties"} and isinstance(value, dict):
            yield from ((f"{name}_{inner}", f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, f".{name}" if re.match(r"\.*(user|properties)\.", name) else name, value


def holds(cell: object, value: object) -> bool:
    """Whether a cell says all of a value."""
    if isinstance(value, str):
        return cell == value or (isinstance(cell, int | float) and float(value) == cell)
    return cell == value or (isinstance(cell, str) and json.loads(cell) == value)


@law
@example([{"properties": {"b": number, "a": number}, "time": number} for number in NUMBERS])
@example([{"properties": {"b": text, "a": text}, "time": text, "user": text} for text in TEXTS])
@given(st.lists(events, min_size=1, max_size=12))
def test_nothing_is_lost(batch: list[dict[str, Any]]) -> None:
    """Each member is in its column or among the other fields, and these hold nothing else."""
    # A result has no order.
    batch = [{**event, "number": number} for number, event in enumerate(batch)]
    TABLE[:] = [{"time": RECEIVED, "events": json.dumps(batch)}]
    result = ENGINE.query(SQL)
    rows = [dict(zip([name for name, _ in result.columns], row, strict=True)) for row in result.rows]
    rows.sort(key=itemgetter("number"))
    for row, event in zip(rows, batch, strict=True):
        others = json.loads(row[OTHER_FIELDS] or "{}")
        assert row[OTHER_FIELDS] != "{}"
        for column, path, value in placed(event):
            if path in others:
                assert others.pop(path) == value
            elif value is None:
                assert column in {*row, "user", "properties"}
            else:
                assert holds(row.get(column), value)
        assert not others
