"""Whatever arrives late, twice, or without an id, and wherever runs die: each event is in the target once."""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from td_currents_cli.catalog.ddl import TableColumn, create_table_sql
from td_currents_cli.catalog.model import FieldType, Where
from td_currents_cli.events.filter import EVERYTHING
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.incremental import IncrementalRequest, run
from td_currents_cli.treasure_data.tables import Tables
from tests.td_service.engine import Engine

NOW, HOUR = 1_782_900_000, 3600
OVERLAP, SETTLE = HOUR, 600
COLUMNS = [
    TableColumn("event_type", Where.EVENT, "event_type", FieldType.STRING),
    TableColumn("id", Where.EVENT, "id", FieldType.STRING),
    TableColumn("time", Where.EVENT, "time", FieldType.LONG),
    TableColumn("user_user_id", Where.USER, "user_id", FieldType.STRING),
]


class DiedError(Exception):
    """The run ended here, as if it was killed."""


@dataclass
class Direct:
    """A client without a service between it and the tables, which dies after some statements that write."""

    engine: Engine
    results: list[Any] = field(default_factory=list)
    writes_left: int | None = None
    inserted: bool = False  # events, or the new watermark

    def client(self, _address: object) -> "Direct":
        return self

    def tables(self, database: str) -> dict[str, dict[str, str]]:
        found = {table: columns for (of, table), columns in self.engine.schemas.items() if of == database}
        return found | {"raw": {"events": "string"}}

    def columns(self, database: str, table: str) -> dict[str, str]:
        return self.tables(database)[table]

    def query(self, sql: str, _database: str, _domain_key: str | None = None) -> Any:
        if not sql.startswith(("SELECT", "WITH")):
            if self.writes_left == 0:
                raise DiedError
            self.writes_left = None if self.writes_left is None else self.writes_left - 1
        result = self.engine.query(sql)
        self.inserted |= sql.startswith("INSERT")
        return SimpleNamespace(rows=result.rows)

    def rows(self, result: Any) -> list[Any]:
        return cast("list[Any]", result.rows)


ids = st.sampled_from(["a", "b", "c", "d", "", 7, None])
arrivals = st.tuples(
    st.integers(1, 2 * HOUR),  # after the row before
    st.integers(0, SETTLE + OVERLAP),  # how late it appears
    st.lists(ids, min_size=1, max_size=3),
)
runs = st.tuples(
    st.just("run"),
    st.none() | st.none() | st.integers(0, 2),  # after how many statements that write it dies
    st.booleans() | st.just(False),  # whether it begins earlier than it needs to
)


def event_of(event_id: object, number: int) -> dict[str, Any]:
    """The same time for the same id; some have no usable time."""
    time = {"d": "soon", "c": NOW - 40 * HOUR}.get(str(event_id), NOW + number if event_id in {"", None} else NOW)
    event = {"event_type": "x", "time": time, "user": {"user_id": f"u{number}"}}
    return event if event_id is None else event | {"id": event_id}


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(arrivals | runs, min_size=3, max_size=8))
def test_each_event_once(steps: list[Any]) -> None:
    engine = Engine({("braze", "raw"): (raw := [])})
    engine.query(create_table_sql(("braze", "flat"), COLUMNS))
    pending: list[tuple[int, int, list[dict[str, Any]]]] = []  # when it appears, when it was received, its events
    without_id: dict[str, tuple[int, bool]] = {}  # by user: when received, and whether it must be there
    received_of: dict[str, set[int]] = {}
    now, number = NOW, 0

    def flat() -> list[tuple[str | None, str, int]]:
        return cast(
            "list[tuple[str | None, str, int]]",
            engine.query("SELECT id, user_user_id, received_time FROM braze.flat").rows,
        )

    def go(now: int, dies: int | None, earlier: bool) -> None:
        for each in [each for each in pending if each[0] <= now]:
            pending.remove(each)
            raw.append({"time": each[1], "events": json.dumps(each[2])})
        direct = Direct(engine, writes_left=dies)
        tables = Tables(
            addresses=(parse_address("td://braze/raw"),), period=Period(0.0), connection=cast("Any", direct)
        )
        is_first = "tdcur_state" not in direct.tables("braze") or not engine.query("FROM braze.tdcur_state").rows
        request = IncrementalRequest(
            tables=tables,
            into=parse_address("td://braze/flat"),
            wanted=EVERYTHING,
            now=now,
            overlap=OVERLAP,
            settle=SETTLE,
            received_since=0.0 if earlier or is_first else None,
        )
        with suppress(DiedError):
            run(request)
        there = {row["time"] for row in raw}
        for user, (received, _) in without_id.items():
            if direct.inserted and received < now - SETTLE and user not in settled:
                settled.add(user)
                without_id[user] = (received, received in there)

    settled: set[str] = set()
    for step in steps:
        if step[0] == "run":
            now += HOUR
            go(now, step[1], step[2])
        else:
            number += 10
            now += step[0]
            events = [event_of(each, number + place) for place, each in enumerate(step[2])]
            without_id |= {each["user"]["user_id"]: (now, False) for each in events if each.get("id") in {"", None}}
            for each in events:
                received_of.setdefault(str(each.get("id") or ""), set()).add(now)
            pending.append((now + step[1], now, events))
        counts = Counter(row[0] for row in flat())
        assert all(count == 1 for event_id, count in counts.items() if event_id)
    go(now + 4 * HOUR, None, earlier=False)
    rows = flat()
    counts = Counter(row[0] or "" for row in rows)
    assert {event_id: 1 for event_id in received_of if event_id} == {k: n for k, n in counts.items() if k}
    assert all(received in received_of[event_id or ""] for event_id, _, received in rows)
    users = Counter(user for event_id, user, _ in rows if not event_id)
    assert set(users.values()) <= {1}
    assert {user for user, (_, must) in without_id.items() if must} <= set(users)
