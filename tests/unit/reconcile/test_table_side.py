"""Payloads compared with tables of Treasure Data: by ids, and by digests of what the events contain."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import Filter
from td_currents_cli.model import Batch
from td_currents_cli.read import records, sources
from td_currents_cli.reconcile import Depth, DiffKind, ReconcileOutcome, ReconcileRequest, TimeScope, run
from td_currents_cli.reconcile import table_side as table_module
from td_currents_cli.reconcile.file_side import FileSide, JournalSide
from td_currents_cli.reconcile.table_side import TableSide
from td_currents_cli.render import render
from tests.exports import avro_of, export_path, record
from tests.rendering import screen_of
from tests.td_service.engine import Engine
from tests.td_service.service import Canned, Service

Event = dict[str, Any]
Compare = Callable[..., ReconcileOutcome]
Store = Callable[..., Callable[..., TableSide]]
TYPE = "users.behaviors.Purchase"
EVENTS: list[Event] = [
    {
        "id": f"e-{number}",
        "event_type": TYPE,
        "time": 1_782_900_000 + number,
        "user": {"user_id": "é☃\U0001f600"[number % 3], "external_user_id": None, "timezone": "Europe/Berlin"},
        "properties": {
            "price": 19.99 + number,
            "in_control_group": False,
            "purchase_properties": {"b": [{}], "a": "\x1f"},
        },
    }
    for number in range(6)
]


def price(event: Event, value: object) -> Event:
    """The same event with another price."""
    return event | {"properties": event["properties"] | {"price": value}}


CELLS: dict[str, Callable[[list[Event]], list[str]]] = {
    "arrays": lambda events: [json.dumps(events[:4]), json.dumps(events[4:], indent=1, ensure_ascii=False)],
    "texts": lambda events: [json.dumps([json.dumps(each) for each in events])],
    "payloads": lambda events: [json.dumps({"events": events, "a": 1})],
    "texts of texts": lambda events: [json.dumps(json.dumps(events)), json.dumps(json.dumps({"events": []}))],
    "events": lambda events: [json.dumps(each, sort_keys=True) for each in events],
}
"""How a table may have events in its cells."""


@pytest.fixture
def stored(running: Service) -> Store:
    """Stores tables of such rows; returns a function that makes a side of some of them, by number."""

    def store(*tables: list[Event]) -> Callable[..., TableSide]:
        named = {("braze", f"table_{number}"): rows for number, rows in enumerate(tables)}
        running.reset(Engine(named), {name: dict.fromkeys(rows[0], "string") for name, rows in named.items()})

        def side(*numbers: int) -> TableSide:
            return TableSide(running.addressed(*(f"td://braze/table_{number}" for number in numbers)))

        return side

    return store


def rows(cells: list[str]) -> list[Event]:
    return [{"time": number, "events": cell} for number, cell in enumerate(cells)]


def sent(path: Path, events: Sequence[Event]) -> FileSide:
    path.write_text(json.dumps({"events": events}), encoding="utf-8")
    return FileSide(sources([str(path)]))


@pytest.fixture
def compared(stored: Store, tmp_path: Path) -> Compare:
    """Compares EVENTS, as sent, with cells of a table."""
    return lambda cells, events=EVENTS: run(
        ReconcileRequest(sent(tmp_path / "sent.json", events), stored(rows(cells))(0), show=9)
    )


@pytest.mark.parametrize("form", CELLS)
def test_changes_are_found(compared: Compare, running: Service, form: str) -> None:
    """In any form of the cells, by one query: another string, type or field, and nothing else."""
    clean = compared(CELLS[form](EVENTS))
    assert (clean.exit_code, clean.matched, clean.depth, clean.unknown) == (ExitCode.OK, 6, Depth.OUTLINE, 0)
    changed = [
        EVENTS[0],
        EVENTS[1] | {"user": EVENTS[1]["user"] | {"timezone": "Europe/Paris"}},
        price(EVENTS[2], "21.99"),
        price(EVENTS[3], 23),
        {name: value for name, value in EVENTS[4].items() if name != "user"},
        EVENTS[5] | {"time": 7},
    ]
    outcome = compared(CELLS[form](changed))
    assert outcome.exit_code is ExitCode.FINDINGS
    assert sorted(outcome.differences[DiffKind.CHANGED].examples) == ["e-1", "e-2", "e-3", "e-4", "e-5"]
    assert (outcome.matched, len(running.jobs)) == (1, 1)
    assert outcome.balanced


def test_a_table_and_an_export_are_not_told_to_differ(stored: Store, tmp_path: Path) -> None:
    """A table has fields that the export does not have: only equal contents can be told from their digests."""
    written = [record(number, external_user_id="x") for number in range(3)]
    path = export_path(tmp_path)
    path.write_bytes(avro_of(written))
    batch = next(records(sources([str(path)])))
    assert isinstance(batch, Batch)
    events: list[Event] = json.loads(batch.data)["events"]
    events[2]["user"]["device_id"] = "d"
    table = stored(rows([json.dumps(events)]))
    outcome = run(ReconcileRequest(FileSide(sources([str(path)])), table(0)))
    assert (outcome.exit_code, outcome.matched, outcome.unknown) == (ExitCode.OK, 3, 1)


def test_changes_that_an_outline_does_not_cover(compared: Compare) -> None:
    """Decimals, which Java and Python may write differently; how a number or a string is written."""
    cells = CELLS["arrays"]([price(EVENTS[0], 19.5), price(EVENTS[1], 2e30), *EVENTS[2:]])
    outcome = compared(cells, [price(EVENTS[0], 19.99), price(EVENTS[1], 1e30), *EVENTS[2:]])
    assert (outcome.exit_code, outcome.matched) == (ExitCode.OK, 6)


def test_flat_events_have_no_digest(compared: Compare, screen: Any) -> None:
    """Their ids are compared, and the outcome says that their contents are not."""
    flat = [{"id": "e-0", "event_type": TYPE, "user_id": "x"}, *EVENTS[1:]]
    outcome = compared(CELLS["arrays"](EVENTS), flat)
    assert (outcome.exit_code, outcome.matched, outcome.unknown) == (ExitCode.OK, 6, 1)
    assert outcome.summary()["content_unknown"] == 1
    render(outcome, "table", screen.terminal)
    assert "contents are compared except for decimals" in screen.err
    assert "1 id without known content on both sides: changes cannot be detected" in screen.err


def test_every_content_differs(compared: Compare, screen: Any) -> None:
    """The events have arrived; most likely the table has an unknown form of JSON."""
    render(compared(CELLS["arrays"]([each | {"time": 1} for each in EVENTS])), "table", screen.terminal)
    assert "the content of every event differs" in screen.err
    assert "nothing that was sent is there" not in screen.err


def test_two_tables(stored: Store) -> None:
    """Any event has a digest if both sides are tables; a flat table has none, and is not queried for them."""
    bare: list[Event] = [{"id": "bare", "event_type": TYPE, "user_id": 1}]
    flat = {"time": 1, "id": "e-0", "event_type": TYPE, "user_user_id": "x"}
    side = stored(rows(CELLS["arrays"](EVENTS)), rows(CELLS["events"](bare)), [flat])
    assert [side(*each).depth for each in ([0], [1], [2], [0, 2])] == [*[Depth.OUTLINE] * 2, Depth.IDS, Depth.OUTLINE]
    outcome = run(ReconcileRequest(side(1), side(1)))
    assert (outcome.matched, outcome.unknown) == (1, 0)
    outcome = run(ReconcileRequest(side(0), side(0, 1, 2)))
    assert (outcome.matched, outcome.unknown, outcome.differences[DiffKind.CHANGED].count) == (6, 1, 0)
    outcome = run(ReconcileRequest(side(0), side(2)))
    assert (outcome.matched, outcome.unknown, outcome.by_content) == (1, 0, False)


def test_a_journal_needs_no_digests(stored: Store, running: Service, tmp_path: Path) -> None:
    """It has nothing to compare them with, so they are not queried."""
    journal = JournalSide(tmp_path / "journal", lambda _: [[("e-0", TYPE, 1)]])
    outcome = run(ReconcileRequest(journal, stored(rows(CELLS["arrays"](EVENTS[:1])))(0)))
    assert (outcome.matched, outcome.by_content) == (1, False)
    assert "outline" not in running.queries[0].lower()


NAMES = ("id", "event_type", "time", "kind", "outline")
COLUMNS = [(name, "bigint" if name == "time" else "varchar") for name in NAMES]


@pytest.fixture
def found(running: Service, tmp_path: Path) -> Compare:
    """Compares events with these ids, of the time 100, with the rows of a result."""

    def compare(ids: str, rows: Sequence[Sequence[Any]], **options: Any) -> ReconcileOutcome:
        full = [[*row, *[None] * (5 - len(row))] for row in rows]
        running.reset(Canned(COLUMNS, full), {("braze", "currents"): {"events": "string"}})
        side = sent(tmp_path / "sent.json", [{"event_type": TYPE, "id": each, "time": 100} for each in ids.split()])
        return run(ReconcileRequest(side, TableSide(running.addressed()), show=3, **options))

    return compare


def test_nothing_is_missing(found: Compare, screen: Any) -> None:
    """A table without digests shows no changes. It returns ids: no number of its rows is printed."""
    outcome = found("a b", [["b", TYPE, 100], ["a", TYPE, 100]])
    assert (outcome.matched, outcome.exit_code, outcome.unknown) == (2, ExitCode.OK, 2)
    render(outcome, "table", screen.terminal)
    assert screen.lines[-2] == "1 row sent: all 2 sent event ids arrived."
    render(outcome, "table", (verbose := screen_of(verbose=True)).terminal)
    assert "ingested: 2 events compared" in verbose.err.splitlines()


def test_differences(found: Compare, running: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Missing, unexpected and duplicated ids, with examples from the same result: one job in total."""
    monkeypatch.setattr(table_module, "CHUNK_EVENTS", 2)
    rows = [["b", TYPE, 100], ["x", TYPE, 100], ["b", TYPE, 100], ["a", TYPE, 100], [None, None, None]]
    outcome = found("a b c", rows, resend=tmp_path / "missing.json")
    assert outcome.exit_code is ExitCode.FINDINGS
    ids = {kind: outcome.differences[kind].examples for kind in DiffKind}
    assert ids == dict(zip(DiffKind, [("c",), (), ("x",), ("b",)], strict=True))
    assert [event["id"] for event in json.loads((tmp_path / "missing.json").read_text())["events"]] == ["c"]
    assert len(running.jobs) == 1


def test_table_without_rows_in_the_period(found: Compare) -> None:
    """It is reported, and all sent events are missing."""
    outcome = found("a", [])
    assert (outcome.differences[DiffKind.MISSING].count, outcome.exit_code) == (1, ExitCode.FINDINGS)
    assert [(each.code, each.severity) for each in outcome.problems.kept] == [("TDC005", "warning")]
    assert "--received-since" in outcome.problems.kept[0].message


def test_a_period(found: Compare) -> None:
    """It leaves out the same events on both sides, by event time."""
    scope = TimeScope(Filter(since=50.0, until=150.0))
    outcome = found("a", [["a", TYPE, 100], ["x", TYPE, 10]], scope=scope)
    assert (outcome.matched, outcome.exit_code) == (1, ExitCode.OK)
    assert outcome.ingested.counts.filtered == 1


def test_unreadable_rows_and_events(found: Compare) -> None:
    """They are problems, not events without an id."""
    nothing = [[None, None, None, kind] for kind in ("rejected row", "rejected row", "rejected event")]
    outcome = found("a", [*nothing, ["x", TYPE, 100], ["a", TYPE, 100]])
    assert outcome.exit_code is ExitCode.FINDINGS
    assert [each.message.partition(";")[0] for each in outcome.problems.kept] == [
        "2 rows have cells without readable events",
        "an element of a batch is not an event",
    ]
    assert outcome.differences[DiffKind.UNEXPECTED].examples == ("x",)
    assert outcome.ingested.counts.without_id == 0


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
    assert outcome.sent.counts.without_id == outcome.ingested.counts.without_id == 2
    here, there = outcome.sent.as_dict(), outcome.ingested.as_dict()
    assert all(here[name] == there[name] for name in ("rows_rejected", "events_read", "events_rejected"))


def test_the_two_tables_of_a_move(stored: Store, running: Service) -> None:
    """Batches and the streaming connector's rows, whose `time` is the receive time: an event at the end of the period.

    Each table is queried once.
    """
    batches = [{"time": 150, "events": json.dumps([{"event_type": TYPE, "id": each, "time": 99} for each in "ab"])}]
    flat = [
        {"time": time, "event_type": TYPE, "id": each, "user_user_id": "u"}
        for each, time in {"a": 150, "early": 40, "new": 60, "late": 150}.items()
    ]
    side = stored(batches, flat)
    scope = TimeScope(Filter(since=50.0, until=100.0))
    outcome = run(ReconcileRequest(side(0), side(1), scope=scope, show=9))
    assert {kind: each.examples for kind, each in outcome.differences.items() if each.count} == {
        DiffKind.MISSING: ("b",),
        DiffKind.UNEXPECTED: ("new",),
    }
    assert (outcome.matched, outcome.per_id, outcome.ingested.counts.filtered) == (1, True, 2)
    assert outcome.balanced
    assert len(running.jobs) == 2
