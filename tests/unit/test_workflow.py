"""`tdcur workflow init`: the files are parsed, and their statements are run on a stand-in for Treasure Data."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import jinja2
import pytest
import sqlglot
import yaml
from typer.testing import CliRunner

from td_currents_cli.braze import CANARY
from td_currents_cli.catalog import load
from td_currents_cli.choices import Layout, ProjectKind, Schedule
from td_currents_cli.cli.app import app
from td_currents_cli.events.filter import EVERYTHING, WITHOUT_CANARIES
from td_currents_cli.treasure_data import incremental, print_sql
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.incremental import IncrementalRequest
from td_currents_cli.treasure_data.sql.events import table_events
from td_currents_cli.treasure_data.sql.incremental import IncrementalQuery, batch_sql
from td_currents_cli.treasure_data.sql.text import TimeRange
from td_currents_cli.treasure_data.tables import Tables, TdConnection
from td_currents_cli.workflow import WorkflowRequest, daily_counts, digdag_project
from td_currents_cli.workflow.command import run
from tests.digdag import Digdag, filled_in, load_workflow
from tests.td_service.engine import Engine
from tests.td_service.service import Service

RAW, FLAT = ("braze", "raw"), ("braze", "flat")
NOW: Final = 1_782_864_000  # 2026-07-01T00:00:00Z
HOUR: Final = 3600
DAY: Final = 24 * HOUR
UNINSTALL: Final = "users.behaviors.Uninstall"
TABLES: Final = ("--database", "braze", "--raw", "raw", "--flat", "flat")


def written(
    folder: Path,
    kind: ProjectKind = ProjectKind.DIGDAG,
    raw: str = "td://braze/raw",
    flat: str = "td://braze/flat",
    **options: Any,
) -> Path:
    run(WorkflowRequest(folder=folder, kind=kind, raw=parse_address(raw), flat=parse_address(flat), **options))
    return folder


@pytest.fixture
def few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all columns of the catalog, a query takes long to plan."""
    few = SimpleNamespace(events={UNINSTALL: load().events[UNINSTALL]})
    for module in (digdag_project, daily_counts, print_sql):
        monkeypatch.setattr(module, "load", lambda: few)


class Account:
    def __init__(self, folder: Path, **options: Any) -> None:
        self.rows: list[dict[str, Any]] = []
        self.engine = Engine({RAW: self.rows})
        self.digdag = Digdag(written(folder, **options) / "flat.dig", self.engine)

    def receive(self, received: int, *events: tuple[str | None, int], event_type: str = UNINSTALL) -> None:
        batch = [
            {"event_type": event_type, "time": time, "user": {"user_id": "u"}} | ({"id": name} if name else {})
            for name, time in events
        ]
        self.rows.append({"time": received, "events": json.dumps(batch)})

    def all_of(self, sql: str) -> list[tuple[Any, ...]]:
        return self.engine.query(sql).rows


@pytest.mark.usefixtures("few_columns")
def test_runs_insert_each_id_once_and_count_days(tmp_path: Path) -> None:
    account = Account(tmp_path, zone="Asia/Tokyo")
    digdag = account.digdag
    account.receive(NOW - 100, ("a", NOW - 110), ("b", NOW - 3 * DAY), (None, NOW - 105))
    account.receive(NOW - 99, ("a", NOW - 110))
    account.receive(NOW - 98, ("canary", NOW - 98), event_type=CANARY)
    digdag.run(NOW)
    # One that came again, one that is late, one within the overlap that appeared only now, and one that is too new.
    account.receive(NOW + 10, ("a", NOW - 110), ("c", NOW - 2 * DAY), (None, NOW))
    account.receive(NOW - 50, ("d", NOW - 60))
    account.receive(NOW + HOUR, ("e", NOW + HOUR))
    digdag.run(NOW + HOUR)
    digdag.run(NOW + HOUR)
    assert account.all_of("SELECT id, time, received_time FROM braze.flat ORDER BY time, id") == [
        ("b", NOW - 3 * DAY, NOW - 100),
        ("c", NOW - 2 * DAY, NOW + 10),
        ("a", NOW - 110, NOW - 100),
        (None, NOW - 105, NOW - 100),
        ("d", NOW - 60, NOW - 50),
        (None, NOW, NOW + 10),
    ]
    # The day begins at 15:00 UTC.
    assert account.all_of("SELECT time, day, event_type, events, users FROM braze.flat_daily ORDER BY time") == [
        (NOW - 3 * DAY - 9 * HOUR, "2026-06-28", UNINSTALL, 1, 1),
        (NOW - 2 * DAY - 9 * HOUR, "2026-06-29", UNINSTALL, 1, 1),
        (NOW - 9 * HOUR, "2026-07-01", UNINSTALL, 4, 1),
    ]
    assert account.all_of("SELECT first_event, last_event FROM braze.flat_daily WHERE day = '2026-07-01'") == [
        (NOW - 110, NOW)
    ]
    state = account.all_of("SELECT source, target, MAX(watermark) FROM braze.tdcur_state GROUP BY 1, 2")
    assert state == [("td://braze/raw", "td://braze/flat", NOW + HOUR)]
    assert digdag.posted == []
    # A session of the past neither goes back nor forgets days.
    digdag.run(NOW - DAY)
    digdag.run(NOW + 2 * HOUR)
    assert account.all_of("SELECT COUNT(*), COUNT(DISTINCT id) FROM braze.flat") == [(7, 5)]
    assert account.all_of("SELECT SUM(events) FROM braze.flat_daily") == [(7,)]


@pytest.mark.usefixtures("few_columns")
@pytest.mark.parametrize("query", ["batch", "insert", "record", "delete_days"])
def test_a_run_that_dies_is_repeated(query: str, tmp_path: Path) -> None:
    account = Account(tmp_path)
    account.receive(NOW - 100, ("a", NOW - 110), (None, NOW - 105))
    with pytest.raises(InterruptedError):
        account.digdag.run(NOW, stop_after=query)
    account.receive(NOW + 10, ("b", NOW))
    account.digdag.run(NOW + HOUR)
    assert account.all_of("SELECT id FROM braze.flat ORDER BY time") == [("a",), (None,), ("b",)]
    assert account.all_of("SELECT SUM(events) FROM braze.flat_daily") == [(3,)]


@pytest.mark.usefixtures("few_columns")
def test_parse_incremental_goes_on_where_the_workflow_ended(tmp_path: Path, running: Service) -> None:
    account = Account(tmp_path)
    account.receive(NOW - 100, ("a", NOW - 110), (None, NOW - 105))
    account.digdag.run(NOW)
    account.receive(NOW + 10, ("a", NOW - 110), ("b", NOW), (None, NOW))
    running.reset(account.engine, {RAW: {"events": "string"}})
    raw, flat = parse_address("td://braze/raw"), parse_address("td://braze/flat")
    tables = Tables(addresses=(raw,), period=Period(0.0), connection=TdConnection(environ=running.environ()))
    request = IncrementalRequest(tables=tables, into=flat, wanted=EVERYTHING, now=NOW + HOUR)
    outcome = incremental.run(request)
    assert (outcome.window.watermark, outcome.inserted) == (NOW, 2)
    account.receive(NOW + HOUR, ("b", NOW), ("c", NOW + HOUR))
    account.digdag.run(NOW + 2 * HOUR)
    assert account.all_of("SELECT id FROM braze.flat ORDER BY time, id") == [("a",), (None,), ("b",), (None,), ("c",)]


@pytest.mark.usefixtures("few_columns")
def test_doubles_drops_and_silent_types_are_reported(tmp_path: Path) -> None:
    account = Account(tmp_path)
    numbers = iter(range(100_000))

    def receive(day: int, number: int, event_type: str) -> None:
        time = NOW - day * DAY - 2 * HOUR
        events = [(f"{next(numbers)}", time + each) for each in range(number)]
        account.receive(time + 60, *events, event_type=event_type)

    for day in range(1, 8):
        for event_type, number in (("a.Steady", 60), ("a.Dropped", 60), ("a.Silent", 10), ("a.Few", 9)):
            receive(day, number, event_type)
    account.digdag.run(NOW - DAY)
    assert account.digdag.posted == []
    receive(0, 31, "a.Steady")
    receive(0, 29, "a.Dropped")
    # Other hours are not compared.
    account.receive(NOW - 30, *[(f"new {each}", NOW - 60) for each in range(60)], event_type="a.Silent")
    account.digdag.run(NOW)
    dropped = "a.Dropped: 29 events, usually 60; a.Silent: 0 events, usually 10"
    assert account.digdag.posted == [f"td://braze/flat: 2 event types dropped: {dropped}"]
    account.engine.query("INSERT INTO braze.flat SELECT * FROM braze.flat WHERE id = 'new 3'")
    account.digdag.run(NOW)
    assert account.digdag.posted[1] == "td://braze/flat: 1 event ids are there more than once"


@pytest.mark.parametrize("schedule", Schedule)
def test_statements_are_those_of_parse_incremental_and_valid(schedule: Schedule, tmp_path: Path) -> None:
    folder = written(tmp_path, schedule=schedule, zone="Europe/Berlin")
    workflow = load_workflow(folder / "flat.dig")
    assert (f"{schedule}>" in workflow["schedule"], workflow["timezone"]) == (True, "Europe/Berlin")
    assert load_workflow(folder / "alert.dig")
    named = set(re.findall(r"td>: (queries/.*)", (folder / "flat.dig").read_text(encoding="utf-8")))
    assert named == {str(each.relative_to(folder)) for each in folder.glob("queries/*")}
    columns = ["since", "until", "watermark", "oldest", "newest"]
    results = SimpleNamespace(**{name: NOW + place for place, name in enumerate(columns)})
    variables = workflow["_export"] | {"session_unixtime": NOW, "td": SimpleNamespace(last_results=results)}
    for each in folder.glob("queries/*"):
        text = filled_in(each.read_text(encoding="utf-8"), variables)
        assert "${" not in text
        sqlglot.parse_one(text, read="trino")
    window = TimeRange(str(NOW), str(NOW + 1))
    events = table_events(parse_address("td://braze/raw"), Layout.BATCHES, window, ())
    query = IncrementalQuery(events=events, since=str(NOW), watermark=str(NOW + 2), filter=WITHOUT_CANARIES)
    batch = batch_sql(query)
    assert batch in filled_in((folder / "queries" / "batch.sql").read_text(encoding="utf-8"), variables)


def test_dbt_models_are_what_sql_prints(tmp_path: Path) -> None:
    folder = written(tmp_path, ProjectKind.DBT)
    query = ["sql", "parse", "td://braze/raw", "--received-since", "-2d", "--dedupe", "--for", "dbt"]
    printed = CliRunner().invoke(app, query).stdout.replace('"braze"."raw"', "{{ source('braze', 'raw') }}")
    assert (folder / "models" / "flat.sql").read_text(encoding="utf-8").partition("\n")[2] == printed


def test_files_are_not_overwritten_without_force(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    made = CliRunner().invoke(app, ["workflow", "init", str(folder), *TABLES])
    assert (made.exit_code, made.stdout.splitlines()[0]) == (0, str(folder / "flat.dig"))
    (folder / "queries" / "drops.sql").write_text("mine")
    (folder / "flat.dig").unlink()
    again = CliRunner().invoke(app, ["workflow", "init", str(folder), *TABLES])
    assert again.exit_code == 2
    assert f"{folder / 'alert.dig'} (and 11 more) already exists" in again.stderr
    assert not (folder / "flat.dig").exists()
    forced = CliRunner().invoke(app, ["workflow", "init", str(folder), *TABLES, "--force", "--format", "json"])
    assert forced.exit_code == 0
    assert json.loads(forced.stdout)["summary"]["files"] == 13
    assert (folder / "queries" / "drops.sql").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--flat", "raw"], "cannot be both source and target"),
        (["--dbt", "--schedule", "daily"], "--schedule cannot be used with --dbt"),
        (["--timezone", "Mars/Olympus"], "unknown time zone"),
        (["--flat", "no/name"], "--flat has a database or table name that is not valid"),
        (["--database", "Bad"], "--database has a database or table name that is not valid"),
        (["--raw", "raw?column=x"], "--raw has a database or table name that is not valid"),
    ],
)
def test_wrong_usage_writes_nothing(arguments: list[str], message: str, tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["workflow", "init", str(tmp_path / "project"), *TABLES, *arguments])
    assert (ended.exit_code, message in ended.stderr) == (2, True), ended.stderr
    assert not (tmp_path / "project").exists()


def rendered(model: Path, *, is_incremental: bool) -> str:
    """A model as dbt fills it in."""
    started = SimpleNamespace(timestamp=lambda: float(NOW))
    given = {
        "config": lambda **_: "",
        "source": lambda database, table: f'"{database}"."{table}"',
        "ref": lambda table: f'"braze"."{table}"',
        "var": lambda _, default: default,
        "is_incremental": lambda: is_incremental,
        "run_started_at": started,
    }
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 -- no HTML
    return environment.from_string(model.read_text(encoding="utf-8")).render(given)


@pytest.mark.parametrize("is_incremental", [False, True])
def test_dbt_models_are_valid(is_incremental: bool, tmp_path: Path) -> None:
    folder = written(tmp_path, ProjectKind.DBT)
    for each in (*folder.glob("models/*.sql"), *folder.glob("tests/*.sql")):
        text = rendered(each, is_incremental=is_incremental)
        sqlglot.parse_one(text, read="trino")
    sources = yaml.safe_load((folder / "models" / "schema.yml").read_text(encoding="utf-8"))
    assert {each["name"] for each in sources["models"]} == {each.stem for each in folder.glob("models/*.sql")}
    profiles = yaml.safe_load((folder / "profiles.yml").read_text(encoding="utf-8"))
    assert yaml.safe_load((folder / "dbt_project.yml").read_text(encoding="utf-8"))["profile"] in profiles


def test_names_stay_strings(tmp_path: Path) -> None:
    """To YAML, others than these are numbers, dates, or booleans."""
    raw, flat = "td://yes/123", "td://yes/null"
    dig = load_workflow(written(tmp_path, raw=raw, flat=flat) / "null.dig")
    assert dig["_export"]["td"]["database"] == "yes"
    folder = written(tmp_path / "dbt", ProjectKind.DBT, raw, flat)
    schema = yaml.safe_load((folder / "models" / "schema.yml").read_text(encoding="utf-8"))
    assert [each["name"] for each in schema["models"]] == ["null", "null_daily"]
    (source,) = schema["sources"]
    assert (source["name"], source["schema"], source["tables"][0]["name"]) == ("yes", "yes", "123")
    (profile,) = yaml.safe_load((folder / "profiles.yml").read_text(encoding="utf-8")).values()
    assert profile["outputs"]["treasure_data"]["schema"] == "yes"


@pytest.mark.usefixtures("few_columns")
@pytest.mark.parametrize("is_incremental", [False, True])
def test_the_dbt_model_has_each_id_once(is_incremental: bool, tmp_path: Path) -> None:
    account = Account(tmp_path / "digdag")
    account.receive(NOW - 3 * DAY, ("old", NOW - 3 * DAY))
    account.receive(NOW - 100, ("a", NOW - 110), ("b", NOW - 105), (None, NOW - 105))
    account.receive(NOW - 99, ("a", NOW - 110))
    account.receive(NOW - 98, ("canary", NOW - 98), event_type=CANARY)
    account.receive(NOW, ("new", NOW))
    model = written(tmp_path / "dbt", ProjectKind.DBT) / "models" / "flat.sql"
    rows = account.all_of(f"SELECT id FROM ({rendered(model, is_incremental=is_incremental)}) ORDER BY time, id")  # noqa: S608
    old = [] if is_incremental else [("old",)]
    assert rows == [*old, ("a",), ("b",), (None,)]


def test_dbt_models_count_what_the_workflow_counts(tmp_path: Path) -> None:
    folder = written(tmp_path, ProjectKind.DBT)
    columns = set(re.findall(r'CAST\("(\w+)"', (folder / "models" / "flat_daily.sql").read_text(encoding="utf-8")))
    events = [{"time": NOW - each * DAY, "id": str(each), "event_type": UNINSTALL} for each in range(20)]
    engine = Engine({FLAT: [dict.fromkeys(columns) | event for event in events]})
    for is_incremental, days in ((False, 20), (True, 8)):
        counted = engine.query(rendered(folder / "models" / "flat_daily.sql", is_incremental=is_incremental)).rows
        assert len(counted) == days
        assert counted[-1][:3] == ("2026-07-01", UNINSTALL, 1)
    assert engine.query(rendered(folder / "tests" / "flat_drops.sql", is_incremental=False)).rows == []


@pytest.mark.skipif(shutil.which("dbt") is None, reason="dbt (dbt-core and dbt-duckdb) is not installed")
def test_dbt_parses_the_project(tmp_path: Path) -> None:
    folder = written(tmp_path, ProjectKind.DBT)
    # The adapter for Trino is not needed to parse a project.
    profile = {"target": "x", "outputs": {"x": {"type": "duckdb", "path": ":memory:"}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump({"currents_flat": profile}), encoding="utf-8")
    environment = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    command = ["dbt", "--warn-error", "parse", "--profiles-dir", str(folder), "--project-dir", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
    assert ended.returncode == 0, ended.stdout
