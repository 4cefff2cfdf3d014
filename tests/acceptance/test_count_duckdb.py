"""Counts agree with those of a database, by any dimension."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from td_currents_cli import catalog
from td_currents_cli.count import CountRequest, run
from td_currents_cli.events.filter import zone_of
from td_currents_cli.read import sources
from tests.command import tdcur

EVENTS: Final = 6000
BERLIN: Final = "Europe/Berlin"
TIME: Final = "to_timestamp((event ->> '$.time')::BIGINT) AT TIME ZONE '{zone}'"

SQL: Final = {
    "event_type": "event ->> '$.event_type'",
    "category": "category",
    "channel": "channel",
    "hour": f"strftime({TIME}, '%Y-%m-%dT%H:00')",
    "day": f"strftime({TIME}, '%Y-%m-%d')",
    "week": f"strftime({TIME}, '%G-W%V')",
    "month": f"strftime({TIME}, '%Y-%m')",
    "source": "filename",
    "campaign_name": "event ->> '$.properties.campaign_name'",
    "platform": "event ->> '$.properties.platform'",
    "timezone": "event ->> '$.user.timezone'",
    "user.external_user_id": "event ->> '$.user.external_user_id'",
    "properties.is_amp": "event ->> '$.properties.is_amp'",
    "price": "event ->> '$.properties.price'",
    "id": "event ->> '$.id'",
}
"""How DuckDB is asked for what `tdcur` calls by these names."""

TOGETHER: Final = (
    ("event_type", "day"),
    ("channel", "platform", "hour"),
    ("category", "campaign_name", "week", "month"),
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for seed in ("0", "1"):
        tdcur("generate", "--events", EVENTS // 2, "--seed", seed, "-o", folder / f"{seed}.jsonl").check_returncode()
    return folder


@pytest.fixture(scope="module")
def database(corpus: Path) -> Iterator[Any]:
    """The events of the corpus in a table, and the catalog's types in another."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE types (name VARCHAR, category VARCHAR, channel VARCHAR)")
        types = [[event.name, event.category, event.channel] for event in catalog.load().events.values()]
        connection.executemany("INSERT INTO types VALUES (?, ?, ?)", types)
        connection.execute(
            "CREATE TABLE events AS SELECT filename, unnest(json -> '$.events[*]') AS event "
            "FROM read_ndjson_objects(?, filename = true)",
            [str(corpus / "*.jsonl")],
        )
        yield connection


def of_database(database: Any, by: tuple[str, ...], zone: str) -> dict[tuple[str | None, ...], list[Any]]:
    columns = ", ".join(SQL[name].format(zone=zone) for name in by)
    places = ", ".join(str(place + 1) for place in range(len(by)))
    rows = database.execute(
        f"SELECT {columns}, count(*), "  # noqa: S608 -- the expressions of this module
        f"min((event ->> '$.time')::BIGINT), max((event ->> '$.time')::BIGINT) "
        f"FROM events LEFT JOIN types ON name = event ->> '$.event_type' GROUP BY {places}"
    ).fetchall()
    return {row[: len(by)]: list(row[len(by) :]) for row in rows}


CASES: Final = (
    *(((name,), "UTC") for name in SQL),
    *((by, BERLIN) for by in (("hour",), ("day",), ("week",), ("month",), *TOGETHER)),
)


@pytest.mark.parametrize(("by", "zone"), CASES, ids=lambda value: value if isinstance(value, str) else ",".join(value))
def test_duckdb_agrees(database: Any, corpus: Path, by: tuple[str, ...], zone: str) -> None:
    outcome = run(CountRequest(sources([str(corpus)]), by=by, zone=zone_of(zone)))
    ours = {each.key: [each.count, seconds(each.first), seconds(each.last)] for each in outcome.counts}
    assert outcome.total.count == EVENTS
    assert ours == of_database(database, by, zone)


def seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
