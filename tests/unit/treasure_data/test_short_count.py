"""The query that `tdcur sql count` prints for people, and `tdcur count` on the same rows."""

import json
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import sqlglot

from td_currents_cli.choices import Layout, Names, Query, To
from td_currents_cli.count import CountRequest
from td_currents_cli.count import run as count
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.parse import ParseRequest
from td_currents_cli.parse import run as parse
from td_currents_cli.read import sources
from td_currents_cli.read.options import ReadOptions
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.print_sql import SqlRequest, run
from tests.td_service.engine import Engine

SAMPLE = Path(__file__).parents[3] / "sample_data" / "rows" / "rows.jsonl"
TABLE = ("braze", "raw")


def printed(layout: Layout = Layout.BATCHES, **options: Any) -> str:
    request = SqlRequest(
        query=Query.COUNT,
        table=parse_address("td://braze/raw"),
        layout=layout,
        period=Period(0.0, 2_000_000_000.0),
        counted=CountRequest((), **options),
    )
    return run(request).sql


def names_in(sql: str) -> list[str]:
    (tree,) = sqlglot.parse(sql, read="trino")
    assert isinstance(tree, sqlglot.exp.Select)
    return tree.named_selects


def in_zone(moment: Any, zone: str) -> Any:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counted_there(engine: Engine, **options: Any) -> list[dict[str, Any]]:
    """The rows of the result, in its order, in the words of `tdcur count`."""
    zone = str(options.get("zone", UTC))
    columns, rows = engine.query(printed(**options))
    dicts = [dict(zip([name for name, _ in columns], row, strict=True)) for row in rows]
    return [
        {
            **{name: row[name] for name in options["by"]},
            "count": row["events"],
            "first": in_zone(row["first_event"], zone),
            "last": in_zone(row["last_event"], zone),
            "unique_users": row["users"],
            **({"unique_events": row["unique_events"]} if options.get("unique") else {}),
        }
        for row in dicts
    ]


def counted_here(path: Path, names: list[str], **options: Any) -> list[dict[str, Any]]:
    found = count(CountRequest(sources([str(path)]), reading=ReadOptions.of(), **{**options, "unique": True}))
    rows: Any = found.data()["counts"]
    return sorted(({name: row[name] for name in names} for row in rows), key=str)


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Engine]:
    """Rows of the sample, some twice, and events whose times are not times in seconds."""
    rows = [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]
    rows += [row | {"time": row["time"] + 1} for row in rows[:3]]
    rows.append({"time": rows[0]["time"], "events": ""})
    odd = [
        {"event_type": "users.Odd", "id": f"{time}", "time": time} for time in (1_782_910_000_123, -5, 1e300, "soon")
    ]
    rows.append({"time": rows[0]["time"], "events": json.dumps(odd)})
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file, Engine({TABLE: rows})


@pytest.mark.parametrize(
    "options",
    [
        {"by": ("day", "event_type")},
        {"by": ("event_type",), "dedupe": True, "unique": True},
        {"by": ("hour", "channel"), "zone": ZoneInfo("Asia/Kolkata")},
        {"by": ("campaign_name", "source", "category")},
        {"by": ("properties.link_id",), "wanted": Filter(types=TypeGlobs.of(["*.email.*"]))},
        {"by": ("week",), "wanted": Filter(since=1_782_910_000.0), "dedupe": True},
    ],
    ids=["default", "dedupe", "zone", "fields", "types", "period"],
)
def test_it_counts_as_the_command_does(batches: tuple[Path, Engine], options: dict[str, Any]) -> None:
    file, engine = batches
    there = counted_there(engine, **options)
    here = counted_here(file, list(there[0]), **options)
    if "source" in options["by"]:
        here = [row | {"source": "td://braze/raw"} for row in here]
    assert sorted(there, key=str) == here
    # Sorted by the names; what has none comes last, as in Trino.
    keys = [tuple(row[name] for name in options["by"]) for row in there]
    assert keys == sorted(keys, key=lambda key: [(name is None, name or "") for name in key])


def test_flat_rows(tmp_path: Path) -> None:
    """Of the streaming connector, or flattened."""
    file = tmp_path / "flat.jsonl"
    parse(
        ParseRequest(
            sources=sources([str(SAMPLE)]),
            output=file,
            to=To.JSONL,
            names=Names.STREAMING,
            reading=ReadOptions.of(),
        )
    )
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    names = ("event_type", "id", "time", "user_user_id", "user_external_user_id", "properties_campaign_name")
    table = [{name: row.get(name) for name in names} for row in rows]
    options: dict[str, Any] = {"by": ("day", "campaign_name"), "dedupe": True}
    there = counted_there(Engine({TABLE: table}), layout=Layout.FLAT, **options)
    assert sorted(there, key=str) == counted_here(SAMPLE, list(there[0]), **options)


def test_it_is_short_and_has_the_names() -> None:
    sql = printed(by=("day", "event_type"))
    assert sql.count("\n") < 24
    assert names_in(sql) == ["day", "event_type", "events", "users", "first_event", "last_event"]


@pytest.mark.parametrize("cell", ['{"events":[]}', "[{]", '"[]"'])
def test_another_cell_ends_it(cell: str) -> None:
    """Rather than being left out silently."""
    with pytest.raises(duckdb.Error):
        Engine({TABLE: [{"time": 1, "events": cell}]}).query(printed(by=("event_type",)))


def test_names_of_fields_are_identifiers() -> None:
    for name in ("it's `hi`", "select", "Ünïcode ☃", "a-b; --", "order", "campaignName"):
        sql = printed(by=(f"properties.{name}", name))
        assert names_in(sql)[:2] == [f"properties.{name}", name]
        assert f' AS "{name}"' in sql
