"""Payloads compared with a table of Treasure Data."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import Filter
from td_currents_cli.read import sources
from td_currents_cli.reconcile import ReconcileOutcome, ReconcileRequest, TimeScope, run
from td_currents_cli.reconcile import table_side as table_module
from td_currents_cli.reconcile.file_side import FileSide
from td_currents_cli.reconcile.side import DiffKind
from td_currents_cli.reconcile.table_side import TableSide
from tests.td_service.engine import Engine
from tests.td_service.service import Canned, Service

NAMES = ("id", "event_type", "time", "kind", "outline")
COLUMNS = [(name, "bigint" if name == "time" else "varchar") for name in NAMES]
TYPE = "users.behaviors.Uninstall"


@pytest.fixture
def compared(running: Service, tmp_path: Path) -> Callable[..., ReconcileOutcome]:
    """Compares events with these ids, of the time 100, with the rows of a result."""

    def compare(ids: str, rows: Sequence[Sequence[Any]], **options: Any) -> ReconcileOutcome:
        full = [[*row, *[None] * (5 - len(row))] for row in rows]
        running.reset(Canned(COLUMNS, full), {("braze", "currents"): {"events": "string"}})
        sent = tmp_path / "sent.json"
        events = [{"event_type": TYPE, "id": each, "time": 100} for each in ids.split()]
        sent.write_text(json.dumps({"events": events}), encoding="utf-8")
        return run(ReconcileRequest(FileSide(sources([str(sent)])), TableSide(running.addressed()), show=3, **options))

    return compare


def test_nothing_is_missing(compared: Callable[..., ReconcileOutcome]) -> None:
    """Changes cannot be found in a table without digests."""
    outcome = compared("a b", [["b", TYPE, 100], ["a", TYPE, 100]])
    assert (outcome.matched, outcome.exit_code, outcome.unknown) == (2, ExitCode.OK, 2)


def test_differences(
    compared: Callable[..., ReconcileOutcome], running: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Missing, unexpected and duplicated ids, with examples from the same result: one job in total."""
    monkeypatch.setattr(table_module, "CHUNK_EVENTS", 2)
    rows = [["b", TYPE, 100], ["x", TYPE, 100], ["b", TYPE, 100], ["a", TYPE, 100], [None, None, None]]
    outcome = compared("a b c", rows, resend=tmp_path / "missing.json")
    assert outcome.exit_code is ExitCode.FINDINGS
    ids = {kind: outcome.differences[kind].examples for kind in DiffKind}
    assert ids == {
        DiffKind.MISSING: ("c",),
        DiffKind.CHANGED: (),
        DiffKind.UNEXPECTED: ("x",),
        DiffKind.DUPLICATED: ("b",),
    }
    assert [event["id"] for event in json.loads((tmp_path / "missing.json").read_text())["events"]] == ["c"]
    assert len(running.jobs) == 1


def test_table_without_rows_in_the_period(compared: Callable[..., ReconcileOutcome]) -> None:
    """It is reported, and all sent events are missing."""
    outcome = compared("a", [])
    assert (outcome.differences[DiffKind.MISSING].count, outcome.exit_code) == (1, ExitCode.FINDINGS)
    assert [(each.code, each.severity) for each in outcome.problems.kept] == [("TDC005", "warning")]
    assert "--since" in outcome.problems.kept[0].message


def test_a_period(compared: Callable[..., ReconcileOutcome]) -> None:
    """It leaves out the same events on both sides, by event time."""
    scope = TimeScope(Filter(since=50.0, until=150.0))
    outcome = compared("a", [["a", TYPE, 100], ["x", TYPE, 10]], scope=scope)
    assert (outcome.matched, outcome.exit_code) == (1, ExitCode.OK)
    assert outcome.ingested.counts.filtered == 1


def test_unreadable_rows_and_events(compared: Callable[..., ReconcileOutcome]) -> None:
    """They are problems, not events without an id."""
    nothing = [[None, None, None, kind] for kind in ("rejected row", "rejected row", "rejected event")]
    outcome = compared("a", [*nothing, ["x", TYPE, 100], ["a", TYPE, 100]])
    assert outcome.exit_code is ExitCode.FINDINGS
    assert [each.message.partition(";")[0] for each in outcome.problems.kept] == [
        "2 rows have cells without readable events",
        "an element of a batch is not an event",
    ]
    assert outcome.differences[DiffKind.UNEXPECTED].examples == ("x",)
    assert outcome.ingested.without_id == 0


def test_the_query_for_ids(running: Service, tmp_path: Path) -> None:
    """Run as Trino SQL, it returns the ids, types and times that are read locally from the same rows."""
    events = [
        {"event_type": TYPE, "id": "it's", "time": 100},
        {"event_type": TYPE, "id": "☃", "time": "101"},
        {"event_type": 7, "id": "no type", "time": 102.5},
        {"event_type": TYPE, "id": "no time", "time": "soon"},
        {"event_type": TYPE, "id": 9, "time": 103},
        {"event_type": TYPE, "id": "", "time": 103},
    ]
    cells = [json.dumps(events[:3]), json.dumps({"events": events[3:]}), json.dumps(events[0]), None, "[broken", "[7]"]
    rows = [{"time": number, "events": cell} for number, cell in enumerate(cells)]
    running.reset(Engine({("braze", "currents"): rows}), {("braze", "currents"): {"events": "string"}})
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    outcome = run(ReconcileRequest(FileSide(sources([str(file)])), TableSide(running.addressed()), show=3))
    assert not any(outcome.differences[kind].count for kind in set(DiffKind) - {DiffKind.DUPLICATED})
    assert outcome.sent.by_type == outcome.ingested.by_type
    assert outcome.sent.without_id == outcome.ingested.without_id == 2
    here, there = outcome.sent.as_dict(), outcome.ingested.as_dict()
    assert all(here[name] == there[name] for name in ("rows_rejected", "events_read", "events_rejected"))
