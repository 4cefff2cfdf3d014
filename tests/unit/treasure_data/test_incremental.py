"""`parse --incremental` against a stand-in: each event id once, whatever is repeated, late, or breaks off."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from msgspec.structs import replace
from sqlglot import exp
from typer.testing import CliRunner

from td_currents_cli.braze import CANARY
from td_currents_cli.catalog.ddl import create_table_sql, flat_columns
from td_currents_cli.catalog.loader import load
from td_currents_cli.choices import Names
from td_currents_cli.cli.app import app
from td_currents_cli.errors import ExitCode, InputError, UnreachableError, UsageError
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.render import render
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.client import RetryPolicy
from td_currents_cli.treasure_data.errors import JobRunningError
from td_currents_cli.treasure_data.incremental import IncrementalRequest, run
from td_currents_cli.treasure_data.incremental_outcome import IncrementalOutcome, Window
from td_currents_cli.treasure_data.tables import Tables, TdConnection
from td_currents_cli.write.formats import json_document
from tests.rendering import Screen
from tests.td_service.engine import Engine, Result
from tests.td_service.service import Service, Trouble

RAW, FLAT = ("braze", "raw"), ("braze", "flat")
NOW = 1_782_900_000
HOUR = 3600
UNINSTALL = "users.behaviors.Uninstall"


def event(event_id: str | None, happened: object, **more: Any) -> dict[str, Any]:
    named = {} if event_id is None else {"id": event_id}
    return {"event_type": UNINSTALL, **named, "time": happened, "user": {"user_id": "u"}, **more}


class Fragile(Engine):
    """Fails, or calls back, before or after it runs a statement that begins like one of these."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__({RAW: rows})
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}

    def query(self, sql: str) -> Result:
        self._call(self.before, sql)
        result = super().query(sql)
        self._call(self.after, sql)
        return result

    @staticmethod
    def _call(each: dict[str, Callable[[], None]], sql: str) -> None:
        """Call what is there for a statement, once."""
        for start in [start for start in each if sql.startswith(start)]:
            each.pop(start)()


class Account:
    """A raw table to which rows are added, and runs into tables next to it at times of the test's choice."""

    def __init__(self, service: Service) -> None:
        self.rows: list[dict[str, Any]] = []
        self.engine = Fragile(self.rows)
        self.service = service
        service.reset(self.engine, {RAW: {"events": "string"}})
        # With all columns of the catalog, a query takes long to plan.
        self.engine.query(create_table_sql(FLAT, flat_columns([load().events[UNINSTALL]], Names.STREAMING)))

    def receive(self, received: int, *events: dict[str, Any]) -> None:
        self.rows.append({"time": received, "events": json.dumps(events)})

    def run(self, now: int, into: str = "td://braze/flat", **options: Any) -> IncrementalOutcome:
        policy = RetryPolicy(backoff=0.001, sleep=lambda _: None)
        access = TdConnection(environ=self.service.environ(), retry_policy=policy)
        source = parse_address(options.pop("source", "td://braze/raw"))
        tables = Tables(addresses=(source,), period=Period(0.0), connection=access)
        target = parse_address(into, needs_table=not options.get("split_tables"))
        options.setdefault("wanted", EVERYTHING)
        return run(IncrementalRequest(tables=tables, into=target, now=now, **options))

    def first_run(self, now: int, **options: Any) -> IncrementalOutcome:
        return self.run(now, received_since=0.0, **options)

    def flat(self, columns: str = "id", table: str = "flat") -> list[Any]:
        rows = self.engine.query(f"SELECT {columns} FROM braze.{table} ORDER BY time, 1").rows  # noqa: S608
        return [row[0] for row in rows] if "," not in columns else rows


@pytest.fixture
def account(running: Service) -> Account:
    return Account(running)


def test_each_id_once(account: Account) -> None:
    account.receive(NOW, event("a", NOW - 5), event("b", NOW - 4))
    account.receive(NOW + 1, event("a", NOW - 5))
    first = account.first_run(NOW + HOUR)
    assert (first.inserted, first.already_there, first.batch.duplicates, first.exit_code) == (2, 0, 1, ExitCode.OK)
    account.receive(NOW + HOUR, event("b", NOW - 4), event("c", NOW + HOUR))
    second = account.run(NOW + 2 * HOUR)
    assert (second.inserted, second.already_there, second.window.watermark) == (1, 2, NOW + HOUR - 600)
    assert account.flat("id, time, received_time") == [
        ("a", NOW - 5, NOW),
        ("b", NOW - 4, NOW),
        ("c", NOW + HOUR, NOW + HOUR),
    ]


def die() -> None:
    raise ValueError("the worker died")


INSERT_FLAT = 'INSERT INTO "braze"."flat"'
INSERT_STATE = 'INSERT INTO "braze"."tdcur_state"'
EVENTS = [event("a", NOW - 5), event(None, NOW - 4), event("", NOW - 3), event("d", "soon")]


@pytest.mark.parametrize(
    ("when", "statement"), [("before", INSERT_FLAT), ("after", INSERT_FLAT), ("before", INSERT_STATE)]
)
def test_a_job_that_dies(account: Account, when: str, statement: str) -> None:
    """After its rows are there, too: the run is repeated, and finds them; also those of events without an id."""
    account.receive(NOW, *EVENTS)
    getattr(account.engine, when)[statement] = die
    with pytest.raises(InputError, match="failed"):
        account.first_run(NOW + HOUR)
    account.receive(NOW + HOUR, event("b", NOW + HOUR), event(None, NOW + HOUR))
    again = account.first_run(NOW + 2 * HOUR)
    assert (again.inserted, again.exit_code) == (2 if when == "after" or statement == INSERT_STATE else 6, ExitCode.OK)
    assert account.flat() == ["a", None, "", "d", "b", None]
    assert account.run(NOW + 3 * HOUR).inserted == 0


def test_an_event_without_an_id_in_the_overlap(account: Account) -> None:
    """The run before has inserted it; if its row appeared later, it is left out, and counted as already there."""
    account.receive(NOW, event(None, NOW))
    account.first_run(NOW + 600 + 1)
    account.receive(NOW - 1, event(None, NOW - 1), event("a", NOW - 1))
    account.receive(NOW + 1, event(None, NOW + 1))
    second = account.run(NOW + 1300)
    assert (second.inserted, second.already_there) == (2, 2)
    assert account.flat("time") == [NOW - 1, NOW, NOW + 1]
    assert account.flat() == ["a", None, None]


def test_rows_that_appear_between_two_statements(account: Account) -> None:
    """Ids outside of the span that was counted could not be looked up: they are left for the next run."""
    account.receive(NOW - HOUR, event("old", NOW - 40 * HOUR))
    account.first_run(NOW + HOUR)
    account.receive(NOW + HOUR, event("b", NOW + HOUR))
    late = [event("old", NOW - 40 * HOUR), event("new", NOW - 30 * HOUR)]
    account.engine.before[INSERT_FLAT] = lambda: account.receive(NOW + HOUR + 1, *late)
    assert account.run(NOW + 2 * HOUR).inserted == 1
    assert account.run(NOW + 2 * HOUR).inserted == 1
    assert account.flat() == ["old", "new", "b"]


def test_a_connection_that_is_lost_while_polling(account: Account) -> None:
    """The job goes on. While it runs, the command is refused; when it has ended, its events are found."""
    account.receive(NOW, *EVENTS)
    lose = [("/v3/job/status", Trouble(500))] * 8 + [("/v3/job/kill", Trouble(500))] * 9
    account.engine.after[INSERT_FLAT] = lambda: account.service.trouble.extend(lose)
    with pytest.raises(UnreachableError):
        account.first_run(NOW + HOUR)
    account.service.trouble.clear()
    (job,) = [each for each in account.service.jobs.values() if each.query.startswith(INSERT_FLAT)]
    job.polls = 1
    with pytest.raises(JobRunningError, match=f"another run is inserting into td://braze/flat .*: job {job.id}"):
        account.first_run(NOW + HOUR)
    assert account.first_run(NOW + HOUR).inserted == 0
    assert account.flat() == ["a", None, "", "d"]


def test_an_answer_that_is_lost(account: Account) -> None:
    """The statement is issued again with the same domain key, and the job is recognized as this run's own."""
    account.receive(NOW, *EVENTS)
    account.service.trouble.extend([("/v3/job/issue", Trouble(502, late=True))] * 12)
    assert account.first_run(NOW + HOUR).inserted == 4
    inserts = [each for each in account.service.jobs.values() if each.query.startswith(INSERT_FLAT)]
    assert len(inserts) == 1


def test_two_runs_from_one_watermark(account: Account) -> None:
    """The second is refused while the first one inserts, also if it began later; afterwards it finds nothing to do."""
    account.receive(NOW, *EVENTS)
    account.first_run(NOW + HOUR)
    account.receive(NOW + HOUR, event("b", NOW + HOUR))
    refused = []

    def second() -> None:
        list(account.service.jobs.values())[-1].polls = 2
        with pytest.raises(JobRunningError) as error:
            account.run(NOW + 3 * HOUR)
        refused.append(error.value.exit_code)

    account.engine.before[INSERT_FLAT] = second
    assert account.run(NOW + 2 * HOUR).inserted == 1
    assert refused == [ExitCode.UNREACHABLE]
    assert account.run(NOW + 3 * HOUR).inserted == 0
    assert account.flat() == ["a", None, "", "d", "b"]


def test_runs_with_different_windows(account: Account) -> None:
    """No statement excludes that both insert an event. The one that ends last says so, and how to clean up."""
    account.receive(NOW, *EVENTS)
    account.receive(NOW + 1, event("b", NOW + 1))
    engine = account.engine

    def other() -> None:
        """Insert without seeing what this run has inserted."""
        engine.query("CREATE TABLE braze.aside AS SELECT * FROM braze.flat")
        engine.query("DELETE FROM braze.flat")
        assert account.run(NOW + 2 * HOUR, received_since=NOW - 10.0).exit_code is ExitCode.OK
        engine.query("INSERT INTO braze.flat SELECT * FROM braze.aside")

    engine.after[INSERT_FLAT] = other
    first = account.first_run(NOW + HOUR)
    assert (first.exit_code, first.doubled_ids, first.results[0].doubled_rows) == (ExitCode.FINDINGS, 3, 6)
    # So does the next one, until it is cleaned up.
    account.receive(NOW + 2 * HOUR, event("c", NOW + 2 * HOUR))
    next_run = account.run(NOW + 3 * HOUR, overlap=2.0 * HOUR)
    assert (next_run.exit_code, next_run.inserted, next_run.doubled_ids) == (ExitCode.FINDINGS, 1, 3)
    *statements, drop = next_run.results[0].clean_up
    for statement in [*statements, *statements[1:], statements[2], drop, drop]:
        engine.query(statement)
    assert sorted(filter(None, account.flat())) == ["a", "b", "c", "d"]
    assert account.run(NOW + 3 * HOUR, overlap=3.0 * HOUR).exit_code is ExitCode.OK


def test_late_and_changed_events(account: Account) -> None:
    """The content that was received first is used; of late events, it is said since when."""
    account.receive(NOW, event("a", NOW))
    account.first_run(NOW + HOUR)
    account.receive(NOW + HOUR, event("b", NOW - 40 * HOUR, user={"user_id": "first"}), event("late", NOW - HOUR))
    account.receive(NOW + HOUR + 1, event("b", NOW - 40 * HOUR, user={"user_id": "second"}))
    outcome = account.run(NOW + 2 * HOUR)
    batch = outcome.batch
    assert (batch.duplicates, batch.changed, batch.late, batch.late_since) == (1, 1, 2, NOW - 40 * HOUR)
    assert account.flat("id, user_user_id")[0] == ("b", "first")


def test_where_a_run_begins(account: Account) -> None:
    account.receive(NOW, event("a", NOW))
    with pytest.raises(UsageError, match="no earlier run from td://braze/raw into td://braze/flat is recorded"):
        account.run(NOW + HOUR)
    with pytest.raises(UsageError, match="no rows to read: from 2026-07-01 10:59:59 to 2026-07-01 10:50:00"):
        account.run(NOW + HOUR, received_since=NOW + HOUR - 1.0)
    account.first_run(NOW + HOUR)
    with pytest.raises(UsageError, match="--received-since is after the watermark"):
        account.run(NOW + 2 * HOUR, received_since=NOW + HOUR)
    assert account.run(NOW + HOUR - 300).window == Window(NOW - 600, NOW + HOUR - 600, NOW + HOUR - 600)
    with pytest.raises(UsageError, match="is in the future: a clock"):
        account.run(NOW)
    # A row for each run, also when nothing came.
    states = account.flat("source, target, watermark", "tdcur_state")
    assert states == [("td://braze/raw", "td://braze/flat", NOW + HOUR - 600)] * 2


def test_a_first_run_in_parts(account: Account) -> None:
    """Each part goes on where the one before has ended; what is read again does not take the watermark back."""
    for hours in (0, 10, 20):
        account.receive(NOW + hours * HOUR, event(f"{hours}", NOW))
    ends = (NOW + 5 * HOUR, NOW + 15 * HOUR)
    for number, until in enumerate(ends, 1):
        since = 0.0 if number == 1 else None
        outcome = account.run(NOW + 30 * HOUR, received_since=since, received_until=float(until))
        assert (outcome.inserted, outcome.summary()["watermark"]) == (1, until)
    again = account.first_run(NOW + 30 * HOUR, received_until=float(ends[0]))
    assert (again.inserted, again.already_there, again.summary()["watermark"]) == (0, 1, ends[1])
    assert account.run(NOW + 30 * HOUR, received_until=NOW + 90.0 * HOUR).window.until == NOW + 30 * HOUR - 600
    assert account.flat() == ["0", "10", "20"]


def test_a_conflict_without_a_job(account: Account) -> None:
    """Where the service names no job, it is not known whether one is running; another beginning has another key."""
    account.receive(NOW, *EVENTS)
    refuse = ("/v3/job/issue", Trouble(409, {"error": "Domain key has already been taken"}))
    account.engine.after['CREATE TABLE IF NOT EXISTS "braze"."tdcur_state"'] = lambda: account.service.trouble.append(
        refuse
    )
    with pytest.raises(JobRunningError, match="inserts, or has inserted") as error:
        account.first_run(NOW + HOUR)
    assert "--received-since" in error.value.hint
    assert account.first_run(NOW + HOUR).inserted == 4


def test_a_dry_run_writes_nothing(account: Account) -> None:
    account.receive(NOW, event("a", NOW), event("b", NOW))
    outcome = account.first_run(NOW + HOUR, dry_run=True)
    assert all(each.query.startswith(("SELECT", "WITH")) for each in account.service.jobs.values())
    assert [each.split()[0] for each in outcome.statements] == ["CREATE", "INSERT", "WITH", "INSERT"]
    assert (outcome.summary()["events_read"], outcome.summary()["written"]) == (2, 0)
    for statement in outcome.statements:
        account.engine.query(statement)
    assert account.flat() == ["a", "b"]
    assert account.run(NOW + 2 * HOUR).inserted == 0


PURCHASE = "users.behaviors.Purchase"


def test_a_table_per_event_type(account: Account, screen: Screen) -> None:
    """Each has the columns of its type; a run that dies between two of them is repeated."""
    paid = {"event_type": PURCHASE, "properties": {"price": 9.5, "product_id": "x", "new": 1}}
    account.receive(
        NOW,
        event("a", NOW),
        event("b", NOW, **paid),
        event("c", NOW, event_type="users.New"),
        event("d", NOW, event_type=None),
    )
    account.engine.before['INSERT INTO "braze"."users_behaviors_uninstall"'] = die
    with pytest.raises(InputError, match="failed"):
        account.first_run(NOW + HOUR, into="td://braze", split_tables=True)
    outcome = account.first_run(NOW + HOUR, into="td://braze", split_tables=True)
    assert [(each.table, each.created, each.inserted) for each in outcome.results] == [
        ("td://braze/unknown", False, 0),
        ("td://braze/users_behaviors_purchase", False, 0),
        ("td://braze/users_behaviors_uninstall", False, 1),
        ("td://braze/users_new", True, 1),
    ]
    assert (outcome.target, outcome.already_there) == ("td://braze/*", 2)
    columns = "id, properties_price, other_fields"
    assert account.flat(columns, "users_behaviors_purchase") == [("b", 9.5, '{"properties.new":1}')]
    assert account.flat("id, user_user_id", "users_new") == [("c", "u")]
    prefixed = account.first_run(NOW + HOUR, into="td://braze/flat", split_tables=True, dry_run=True)
    assert prefixed.results[0].table == "td://braze/flat_unknown"
    assert prefixed.target == "td://braze/flat_*"
    render(replace(outcome, results=outcome.results[:2]), "text", screen.terminal)
    assert "created" not in screen.err
    render(prefixed, "text", screen.terminal)
    assert "would create 4 tables\n" in screen.err


def test_targets(account: Account) -> None:
    """One with some of the columns, in any naming, is filled; what it must have is said."""
    account.receive(NOW, event("a", NOW, properties={"app_id": "x"}))
    account.engine.query(
        "CREATE TABLE braze.small (time BIGINT, id VARCHAR, user_id VARCHAR, my VARCHAR, received_time BIGINT, "
        "other_fields VARCHAR)"
    )
    account.first_run(NOW + HOUR, into="td://braze/small")
    others = f'{{"event_type":"{UNINSTALL}","properties.app_id":"x"}}'
    assert account.flat("time, id, user_id, other_fields", "small") == [(NOW, "a", "u", others)]
    account.engine.query("ALTER TABLE braze.small DROP COLUMN received_time")
    with pytest.raises(UsageError, match="no column `received_time`") as error:
        account.run(NOW + HOUR, into="td://braze/small")
    assert error.value.hint == 'Add it: ALTER TABLE "braze"."small" ADD COLUMN "received_time" BIGINT'
    account.engine.query("ALTER TABLE braze.small ADD COLUMN received_time VARCHAR")
    with pytest.raises(UsageError, match="`received_time` of td://braze/small has the type string, not BIGINT"):
        account.run(NOW + HOUR, into="td://braze/small")
    account.engine.query("CREATE TABLE braze.numbered (id BIGINT, received_time BIGINT, other_fields VARCHAR)")
    with pytest.raises(UsageError, match="`id` of td://braze/numbered has the type long, not VARCHAR"):
        account.first_run(NOW + HOUR, into="td://braze/numbered")
    with pytest.raises(UsageError, match="td://braze/tdcur_state has no column `id`"):
        account.first_run(NOW + HOUR, into="td://braze/tdcur_state")


def test_rejected_and_marked_events(account: Account) -> None:
    """What cannot be read is counted and reported; events of `tdcur watch --canary` are left out."""
    account.receive(NOW, event("a", NOW), event("c", NOW, event_type=CANARY))
    account.rows.extend({"time": NOW, "events": cell} for cell in ("[oops", "[1]", None))
    outcome = account.first_run(NOW + HOUR, wanted=Filter.of(types=None, since=None, until=None, now=NOW))
    assert account.flat() == ["a"]
    assert (outcome.balance.rows_read, outcome.balance.balanced) == (4, True)
    assert (outcome.batch.canaries, outcome.batch.rejected_rows, outcome.batch.rejected_events) == (1, 1, 1)
    assert (outcome.problems.errors, outcome.exit_code) == (2, ExitCode.FINDINGS)


def test_rows_of_the_streaming_connector(account: Account) -> None:
    """Their `time` is the receive time, and a copy that comes later has another one: it is looked up days back."""
    columns = dict.fromkeys(("event_type", "id", "user_user_id"), "string")
    account.service.tables = {RAW: columns}
    for received in (NOW, NOW + 10 * HOUR):
        account.rows.append({"time": received, "event_type": UNINSTALL, "id": "a", "user_user_id": "u"})
        account.run(received + HOUR, received_since=float(NOW) if received == NOW else None)
    assert account.flat("id, time, user_user_id") == [("a", NOW, "u")]
    account.service.tables = {RAW: columns | {"received_time": "long"}}
    with pytest.raises(UsageError, match="has event times in `time`"):
        account.run(NOW + 20 * HOUR)


def test_contents_of_flat_rows_are_compared_in_all_columns_but_the_times(account: Account) -> None:
    """In as many as a table may have: Trino's constructor of arrays takes up to 254 values."""
    more = {f"properties_p{number}": None for number in range(300)}
    row = {"event_type": UNINSTALL, "id": "a", "user_user_id": "u", **more, "properties_p299": "x"}
    account.service.tables = {RAW: dict.fromkeys(row, "string")}
    account.rows += [{"time": NOW, **row}, {"time": NOW + 1, **row}, {"time": NOW + 2, **row, "properties_p299": "y"}]
    outcome = account.first_run(NOW + HOUR)
    assert (outcome.inserted, outcome.batch.duplicates, outcome.batch.changed) == (1, 2, 1)
    assert account.flat("other_fields") == ['{"properties_p299":"x"}']
    arrays = [
        each for query in account.service.queries for each in sqlglot.parse_one(query, "trino").find_all(exp.Array)
    ]
    assert max(len(each.expressions) for each in arrays) == 250


def test_each_column_with_batches_has_a_watermark_of_its_own(account: Account) -> None:
    account.service.tables = {RAW: {"events": "string", "more": "string"}}
    account.rows.append({"time": NOW - 24 * HOUR, "events": "[]", "more": json.dumps([event("a", NOW)])})
    account.first_run(NOW)
    with pytest.raises(UsageError, match="no earlier run"):
        account.run(NOW, source="td://braze/raw?column=more")
    assert account.first_run(NOW, source="td://braze/raw?column=more").inserted == 1


def test_what_a_run_says(account: Account, screen: Screen, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    account.receive(NOW, event("a", NOW), event("a", NOW, user={}), event("b", NOW - 40 * HOUR))
    account.run(NOW + HOUR, received_since=float(NOW), dry_run=True)
    outcome = account.run(NOW + HOUR, received_since=float(NOW), summary=tmp_path / "summary.json")
    assert json.loads((tmp_path / "summary.json").read_bytes()) == json.loads(json_document(outcome.as_dict()))
    account.engine.query("INSERT INTO braze.flat SELECT * FROM braze.flat WHERE id = 'a'")
    render(outcome, "text", screen.terminal)
    render(account.run(NOW + HOUR), "text", screen.terminal)
    assert screen.err.splitlines() == [
        "read the rows of td://braze/raw received from 2026-07-01 10:00:00 to 2026-07-01 10:50:00 (UTC)",
        "1 late event: before the period of these rows, the earliest at 2026-06-29 18:00:00 (UTC)",
        "1 duplicate had different content from the first event with the same id, which was used",
        "1 row, 3 events read = 2 inserted + 1 duplicates",
        "watermark: 2026-07-01 10:50:00 (UTC)",
        "read the rows of td://braze/raw received from 2026-07-01 09:50:00 to 2026-07-01 10:50:00 (UTC)",
        "1 duplicate had different content from the first event with the same id, which was used",
        (
            "td://braze/flat has 1 id more than once, in 2 rows: runs with different windows may have inserted at the "
            "same time. These statements remove the copies; each can be repeated:"
        ),
        "1 row, 3 events read = 0 inserted + 2 already there + 1 duplicates",
        "watermark: 2026-07-01 10:50:00 (UTC)",
    ]
    create = 'CREATE TABLE IF NOT EXISTS "braze"."flat_tdcur_doubles" AS\nSELECT "time"'
    assert capfd.readouterr().out.startswith(create)


def test_two_sources_into_one_table(account: Account) -> None:
    """Each has a watermark of its own, and events without an id of one are not taken for those of the other."""
    account.receive(NOW, event("a", NOW), event(None, NOW - 1))
    account.first_run(NOW + HOUR)
    other = [event("a", NOW), event("b", NOW), event(None, NOW - 2)]
    account.engine.query("CREATE TABLE braze.second (time BIGINT, events VARCHAR)")
    account.engine.query(f"INSERT INTO braze.second VALUES ({NOW}, '{json.dumps(other)}')")  # noqa: S608
    outcome = account.first_run(NOW + HOUR, source="td://braze/second")
    assert (outcome.inserted, outcome.already_there) == (2, 1)
    assert account.flat() == [None, None, "a", "b"]
    assert account.first_run(NOW + HOUR, source="td://braze/second").inserted == 0


def test_what_a_person_runs(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The options of the command, with the clock of this machine."""
    for name, value in account.service.environ().items():
        monkeypatch.setenv(name, value)
    now = int(time.time())
    account.receive(now - HOUR, event("a", now - HOUR))
    account.receive(now - 60, event("b", now - 60))
    line = ["parse", "td://braze/raw", "--into", "td://braze/flat", "--incremental", "--settle", "5m"]

    def tdcur(*more: str) -> Any:
        return CliRunner().invoke(app, [*line, *more])

    first = tdcur()
    assert first.exit_code == ExitCode.USAGE
    assert "For the first run, add --from-beginning, or --received-since TIME." in first.stderr
    printed = tdcur("--received-since", "-1d", "--dry-run")
    assert (printed.exit_code, account.flat()) == (ExitCode.OK, [])
    assert [each.split()[0] for each in printed.stdout.split(";\n\n")] == ["CREATE", "INSERT", "WITH", "INSERT"]
    assert "1 row, 1 event new or already there" in printed.stderr
    assert tdcur("--received-since", "-1d").exit_code == ExitCode.OK
    assert account.flat() == ["a"]
    assert tdcur("--settle", "0s", "--overlap", "2h", "--summary", str(tmp_path / "s")).exit_code == ExitCode.OK
    summary = json.loads((tmp_path / "s").read_bytes())["summary"]
    assert (summary["written"], summary["already_there"], summary["rows_read"]) == (1, 1, 2)
    assert account.flat() == ["a", "b"]
    envelope = json.loads((tmp_path / "s").read_bytes())
    since, until = (envelope["summary"][name] for name in ("received_since", "received_until"))
    assert envelope["scanned"] == Period(since, until).as_dict()


def test_a_run_that_was_interrupted_says_that_it_can_be_repeated(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in account.service.environ().items():
        monkeypatch.setenv(name, value)
    account.receive(int(time.time()) - HOUR, event("a", NOW))
    account.engine.before["WITH doubles"] = lambda: os.kill(os.getpid(), signal.SIGINT)
    line = ["parse", "td://braze/raw", "--into", "td://braze/flat", "--incremental", "--from-beginning"]
    stopped = CliRunner().invoke(app, line)
    assert stopped.exit_code == ExitCode.INTERRUPTED
    assert "run the command again: events that were inserted are recognized" in stopped.stderr


@pytest.mark.parametrize("kind", ["VARCHAR", "DOUBLE"])
def test_a_table_of_watermarks_that_somebody_made(account: Account, kind: str) -> None:
    account.engine.query(f"CREATE TABLE braze.tdcur_state (source VARCHAR, target VARCHAR, watermark {kind})")
    account.engine.query("INSERT INTO braze.tdcur_state VALUES ('td://braze/raw', 'td://braze/flat', '17.5')")
    with pytest.raises(InputError, match=r"column watermark of braze\.tdcur_state is not"):
        account.run(NOW)
