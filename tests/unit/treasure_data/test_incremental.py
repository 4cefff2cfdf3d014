"""`parse --incremental` against a stand-in: each event id once, whatever is repeated, late, or breaks off."""

import json
from typing import Any

import pytest

from td_currents_cli.catalog.ddl import create_table_sql, flat_columns
from td_currents_cli.catalog.loader import load
from td_currents_cli.choices import Names
from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import EVERYTHING
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.client import RetryPolicy
from td_currents_cli.treasure_data.incremental import IncrementalOutcome, IncrementalRequest, run
from td_currents_cli.treasure_data.tables import Tables, TdConnection
from tests.td_service.engine import Engine
from tests.td_service.service import Service

RAW, FLAT = ("braze", "raw"), ("braze", "flat")
NOW = 1_782_900_000
HOUR = 3600
UNINSTALL = "users.behaviors.Uninstall"


def event(event_id: str | None, time: int, **more: Any) -> dict[str, Any]:
    named = {} if event_id is None else {"id": event_id}
    return {"event_type": UNINSTALL, **named, "time": time, "user": {"user_id": "u"}, **more}


class Account:
    """A raw table to which rows are added, and runs into tables next to it at times of the test's choice."""

    def __init__(self, service: Service) -> None:
        self.rows: list[dict[str, Any]] = []
        self.engine = Engine({RAW: self.rows})
        self.service = service
        service.reset(self.engine, {RAW: {"events": "string"}})
        # With all columns of the catalog, a query takes long to plan.
        self.engine.query(create_table_sql(FLAT, flat_columns([load().events[UNINSTALL]], Names.STREAMING)))

    def receive(self, time: int, *events: dict[str, Any]) -> None:
        self.rows.append({"time": time, "events": json.dumps(events)})

    def run(self, now: int, into: str = "td://braze/flat", **options: Any) -> IncrementalOutcome:
        policy = RetryPolicy(backoff=0.001, sleep=lambda _: None)
        access = TdConnection(environ=self.service.environ(), retry_policy=policy)
        tables = Tables(addresses=(parse_address("td://braze/raw"),), period=Period(0.0), connection=access)
        target = parse_address(into, needs_table=not options.get("split_tables"))
        return run(IncrementalRequest(tables=tables, into=target, wanted=EVERYTHING, now=now, **options))

    def first_run(self, now: int, **options: Any) -> IncrementalOutcome:
        return self.run(now, received_since=0.0, **options)

    def flat(self, columns: str = "id", table: str = "flat") -> list[Any]:
        rows = self.engine.query(f"SELECT {columns} FROM braze.{table} ORDER BY time, id").rows  # noqa: S608
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
