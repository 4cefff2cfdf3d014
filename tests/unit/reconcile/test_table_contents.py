"""Contents of payloads compared with those of a table of Treasure Data, by digests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import ExitCode
from td_currents_cli.read import sources
from td_currents_cli.reconcile import Depth, DiffKind, ReconcileOutcome, ReconcileRequest, run
from td_currents_cli.reconcile.file_side import FileSide, JournalSide
from td_currents_cli.reconcile.table_side import TableSide
from td_currents_cli.render import render
from tests.td_service.engine import Engine
from tests.td_service.service import Service

Event = dict[str, Any]
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
def stored(running: Service) -> Callable[..., Callable[..., TableSide]]:
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


@pytest.fixture
def compared(stored: Callable[..., Callable[..., TableSide]], tmp_path: Path) -> Callable[..., ReconcileOutcome]:
    """Compares EVENTS, as sent, with cells of a table."""

    def compare(cells: list[str], sent: list[Event] = EVENTS) -> ReconcileOutcome:
        file = tmp_path / "sent.json"
        file.write_text(json.dumps({"events": sent}), encoding="utf-8")
        return run(ReconcileRequest(FileSide(sources([str(file)])), stored(rows(cells))(0), show=9))

    return compare


@pytest.mark.parametrize("form", CELLS)
def test_changes_are_found(compared: Callable[..., ReconcileOutcome], running: Service, form: str) -> None:
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


def test_changes_that_an_outline_does_not_cover(compared: Callable[..., ReconcileOutcome]) -> None:
    """Decimals, which Java and Python may write differently; how a number or a string is written."""
    cells = CELLS["arrays"]([price(EVENTS[0], 19.5), price(EVENTS[1], 2e30), *EVENTS[2:]])
    outcome = compared(cells, [price(EVENTS[0], 19.99), price(EVENTS[1], 1e30), *EVENTS[2:]])
    assert (outcome.exit_code, outcome.matched) == (ExitCode.OK, 6)


def test_flat_events_have_no_digest(compared: Callable[..., ReconcileOutcome], screen: Any) -> None:
    """Their ids are compared, and the outcome says that their contents are not."""
    flat = [{"id": "e-0", "event_type": TYPE, "user_id": "x"}, *EVENTS[1:]]
    outcome = compared(CELLS["arrays"](EVENTS), flat)
    assert (outcome.exit_code, outcome.matched, outcome.unknown) == (ExitCode.OK, 6, 1)
    assert outcome.summary()["content_unknown"] == 1
    render(outcome, "table", screen.terminal)
    assert "contents are compared except for decimals" in screen.err
    assert "1 id without known content on both sides: changes cannot be detected" in screen.err


def test_every_content_differs(compared: Callable[..., ReconcileOutcome], screen: Any) -> None:
    """The events have arrived; most likely the table has an unknown form of JSON."""
    render(compared(CELLS["arrays"]([each | {"time": 1} for each in EVENTS])), "table", screen.terminal)
    assert "the content of every event differs" in screen.err
    assert "nothing that was sent is there" not in screen.err


def test_two_tables(stored: Callable[..., Callable[..., TableSide]]) -> None:
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


def test_a_journal_needs_no_digests(
    stored: Callable[..., Callable[..., TableSide]], running: Service, tmp_path: Path
) -> None:
    """It has nothing to compare them with, so they are not queried."""
    journal = JournalSide(tmp_path / "journal", lambda _: [[("e-0", TYPE, 1)]])
    outcome = run(ReconcileRequest(journal, stored(rows(CELLS["arrays"](EVENTS[:1])))(0)))
    assert (outcome.matched, outcome.by_content) == (1, False)
    assert "outline" not in running.queries[0].lower()
