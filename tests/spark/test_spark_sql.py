"""What `tdcur sql --dialect spark` prints, run in Spark: the counts and events of `tdcur count` and `tdcur parse`.

PySpark and a Java runtime are needed; without them, these tests are skipped. An export is stored as Parquet, in the
layout and with the columns of Braze's Avro files: Spark's reader of Avro is a package that PySpark does not contain.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import flat_columns
from td_currents_cli.catalog.model import FieldType
from td_currents_cli.choices import Names
from tests.command import tdcur_text

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(shutil.which("java") is None, reason="a Java runtime is needed"),
    pytest.mark.filterwarnings("ignore"),
]
SINCE = "2020-01-01"
TYPE = "users.behaviors.Purchase"
ODD: list[Any] = [
    {"event_type": TYPE, "id": "a", "time": 1782900000, "user": {"user_id": "é☃\U0001f600"}, "properties": None},
    {"event_type": TYPE, "id": "a", "time": 1782900001, "user": None, "properties": {"price": 3.140000104904175}},
    {"event_type": TYPE, "id": "big", "time": 1782900002, "properties": {"quantity": 2**63 - 1, "price": 1e15}},
    {"event_type": TYPE, "id": "late", "time": 1600000000, "properties": {"purchase_properties": {"plan": {"a": [1]}}}},
    {"event_type": "users.behaviors.CustomEvent", "id": "c", "time": "1782900003", "properties": {"name": "it's"}},
    {"event_type": "canvasstep.New", "id": "", "time": 1782900004.5, "user": {"external_user_id": "", "gender": "x"}},
    {
        "event_type": "New",
        "id": 7,
        "time": 1782900005,
        "user": {"user_id": 7},
        "properties": {"currency": ["a\n", '"']},
    },
    {"event_type": None, "id": "n", "time": 1782900006, "new": True},
    {"event_type": 7, "id": "seven", "time": True},
    7,
]


@pytest.fixture(scope="module")
def events() -> list[Any]:
    made = tdcur_text("generate", "--events", "300", "--seed", "3")
    assert made.returncode == 0, made.stderr
    return [*ODD, *(event for line in made.stdout.splitlines() for event in json.loads(line)["events"])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="module")
def rows(events: list[Any], folder: Path) -> Path:
    """Ingested rows with cells of all kinds."""
    cells = [
        json.dumps(events[:30]),
        json.dumps({"events": events[30:60]}),
        json.dumps([json.dumps(each) for each in events[60:90]], ensure_ascii=False),
        json.dumps(json.dumps(events[90:120])),
        *map(json.dumps, events[120:123]),
        json.dumps(events[123:], indent=1),
        "",
        "null",
        None,
        "[]",
    ]
    file = folder / "rows.jsonl"
    lines = [json.dumps({"time": 1782900000 + number, "events": cell}) for number, cell in enumerate(cells)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


class Spark:
    def __init__(self, folder: Path) -> None:
        sql = pytest.importorskip("pyspark.sql")
        settings = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.sql.session.timeZone": "Asia/Tokyo",
        }
        builder = sql.SparkSession.builder.master("local[1]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")

    def printed(self, *arguments: str, **replaced: str) -> list[dict[str, Any]]:
        """The rows of the query that is printed."""
        run = tdcur_text("sql", *arguments, "--dialect", "spark", "--quiet")
        assert run.returncode == 0, run.stderr
        result: Any = None
        for statement in run.stdout.split(";\n\n"):
            text = statement
            for old, new in replaced.items():
                text = text.replace(f"USING {old} ", f"USING {new} ")
            result = self.session.sql(text)
        return [row.asDict() for row in result.collect()]


@pytest.fixture(scope="module")
def spark(folder: Path, rows: Path) -> Iterator[Spark]:
    """Spark, with the rows in the table `braze.raw`."""
    running = Spark(folder)
    running.session.sql("CREATE DATABASE braze")
    running.session.read.schema("time bigint, events string").json(str(rows)).write.saveAsTable("braze.raw")
    yield running
    running.session.stop()


def counted(rows: Path, by: Sequence[str], *options: str) -> Counter[tuple[Any, ...]]:
    """The groups that `tdcur count` prints, with their figures."""
    run = tdcur_text("count", str(rows), "--by", ",".join(by), *options, "--format", "jsonl")
    assert run.returncode in {0, 1}, run.stderr
    groups = [json.loads(line) for line in run.stdout.splitlines()]
    return Counter(
        (*(number(group[name]) for name in by), *(group[n] for n in ("count", "first", "last"))) for group in groups
    )


def number(value: str | None) -> str | float | None:
    """A number that both write in their own way; anything else unchanged."""
    try:
        return value and float(value)
    except ValueError:
        return value


def seconds(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("by", "options"),
    [
        ("event_type", []),
        ("channel,category", ["--dedupe"]),
        ("day", ["--timezone", "Europe/Berlin"]),
        ("hour,week,month", ["--type", "*.email.*,*.New"]),
        ("user_id,external_user_id", []),
        ("properties.currency,price,quantity", []),
        ("properties.purchase_properties.plan,gender", ["--until", "2026-08-01"]),
    ],
)
def test_counts_of_rows(spark: Spark, rows: Path, by: str, options: list[str]) -> None:
    names = by.split(",")
    here = counted(rows, names, "--since", SINCE, *options)
    there = spark.printed("count", "td://braze/raw", "--by", by, "--since", SINCE, *options)
    found = Counter(
        (*(number(row[name]) for name in names), row["events"], seconds(row["first_event"]), seconds(row["last_event"]))
        for row in there
    )
    assert found == here


COLUMNS = {column.name: column for column in flat_columns(load().events.values(), Names.STREAMING)}
NUMBERS = {FieldType.INT: int, FieldType.LONG: int, FieldType.FLOAT: float}


def as_row(event: dict[str, Any]) -> dict[str, Any] | None:
    """The cells of a flat event; None if a field has no column, or does not fit it."""
    cells: dict[str, Any] = {}
    for name, value in event.items():
        number = NUMBERS.get(COLUMNS[name].type) if name in COLUMNS else None
        if value is None:
            continue
        if (
            name not in COLUMNS
            or (number and name != "time" and not isinstance(value, int | float))
            or (name in {"id", "event_type"} and not isinstance(value, str))
        ):
            return None
        cells[name] = int(float(value)) if name == "time" else number(value) if number else value
    return cells


def readable(cells: dict[str, Any]) -> str:
    """Cells to compare: JSON in strings as its value, since spaces and the order of names differ."""
    read = {}
    for name, value in sorted(cells.items()):
        try:
            read[name] = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            read[name] = value
    return json.dumps(read, sort_keys=True)


def parsed(rows: Path, *options: str) -> list[dict[str, Any]]:
    run = tdcur_text("parse", str(rows), "--names", "streaming", "--since", SINCE, *options)
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_events_of_rows(spark: Spark, rows: Path) -> None:
    """Each column has the value that is parsed here; an event whose fields do not all fit is there as a whole."""
    here = parsed(rows)
    there = [
        {name: value for name, value in row.items() if value is not None}
        for row in spark.printed("parse", "td://braze/raw", "--since", SINCE)
    ]
    fitting = [cells for event in here if (cells := as_row(event)) is not None]
    assert len(here) == len(there) > len(fitting) > 250
    assert Counter(map(readable, fitting)) == Counter(readable(row) for row in there if "other_fields" not in row)
    whole = [json.loads(row["other_fields"]) for row in there if "other_fields" in row]
    assert any("new" in event for event in whole)
    assert any(event.get("id") == 7 for event in whole)


def test_each_id_once(spark: Spark, rows: Path) -> None:
    """The first event of each, and all without one."""
    there = Counter(row["id"] for row in spark.printed("dedupe", "td://braze/raw", "--since", SINCE))
    here = Counter(event["id"] if isinstance(event["id"], str) else "" for event in parsed(rows, "--dedupe"))
    assert there.pop(None) == here.pop("")
    assert there == here
    assert set(there.values()) == {1}


def test_an_export(spark: Spark, rows: Path, folder: Path) -> None:
    """Counts, events, and single ids of the files equal those of the same events over HTTP."""
    export = folder / "currents"
    for event_type, fields in (("users.messages.email.Open", "campaign_name"), (TYPE, "price")):
        place = export / f"event_type={event_type}" / "date=2026-07-01-10" / "1" / "prod"
        names = ["id string", "time int", "user_id string", "external_user_id string", "properties string"]
        kind = "float" if fields == "price" else "string"
        made = [
            (f"{event_type} {n % 7}", 1782900000 + n, "u", None, '{"plan":"gold"}', 3.14 if kind == "float" else "c")
            for n in range(9)
        ]
        described = spark.session.createDataFrame(made, ", ".join([*names, f"{fields} {kind}"]))
        described.write.parquet(str(place))
    arguments = [str(export), "--since", "2026-07-01"]
    spark.session.conf.set("spark.sql.parquet.mergeSchema", "true")
    found = spark.printed("count", *arguments, "--by", "event_type,properties.purchase_properties.plan", avro="parquet")
    assert [
        (row["event_type"], row["properties.purchase_properties.plan"], row["events"], row["users"]) for row in found
    ] == [
        (TYPE, "gold", 9, 1),
        ("users.messages.email.Open", None, 9, 1),
    ]
    deduped = spark.printed("count", *arguments, "--dedupe", avro="parquet")
    assert [row["events"] for row in deduped] == [7, 7]
