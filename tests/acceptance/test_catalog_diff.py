"""`tdcur events --diff`: what occurs in data and is not in the catalog."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import tdcur_text

PURCHASE = "users.behaviors.Purchase"
EVENTS: list[dict[str, Any]] = [
    {"event_type": PURCHASE, "id": "1", "time": 1782900060, "user": {"zip": 1}, "properties": {"price": 1, "new": 2}},
    {"event_type": "users.New", "id": "2", "time": 1782900001, "extra": 1},
    {"event_type": PURCHASE, "id": "3", "time": 1782900002, "top": 1, "properties": {"new": None}},
    {"event_type": 7, "id": "4", "time": "never"},
    {"event_type": "tdcur.canary", "id": "6", "time": 1782900001},
    {"event_type": "users.behaviors.CustomEvent", "id": "5", "properties": {"custom_properties": {"any": 1}}},
]
UNKNOWN = [
    (PURCHASE, "properties.new", 2, "2026-07-01T10:00:02Z"),
    ("users.New", None, 1, "2026-07-01T10:00:01Z"),
    (PURCHASE, "top", 1, "2026-07-01T10:00:02Z"),
    (PURCHASE, "user.zip", 1, "2026-07-01T10:01:00Z"),
    (None, None, 1, None),
]


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    """In two files, one of them compressed."""
    (tmp_path / "a.json").write_text(json.dumps({"events": EVENTS[:2]}), encoding="utf-8")
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(json.dumps({"events": EVENTS[2:]}).encode()))
    return tmp_path


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_is_unknown(payloads: Path, jobs: str) -> None:
    """Types, and fields of known types, the most frequent first; customers name the fields of custom events."""
    ended = tdcur_text("events", "--diff", payloads, "--jobs", jobs, "--format", "json")
    assert ended.returncode == 0
    found = json.loads(ended.stdout)
    assert [tuple(each.values()) for each in found["unknown"]] == UNKNOWN
    figures = {"events_read": 6, "canaries": 1, "unknown_types": 2, "unknown_fields": 3}
    assert found["summary"].items() >= figures.items()
    table = tdcur_text("events", "--diff", payloads / "a.json", payloads / "b.json.gz")
    assert len(table.stdout.strip().splitlines()) == 2 + len(UNKNOWN)
    assert "5 events (1 tdcur.canary left out) compared with release 12 of the catalog: " in table.stderr
    assert "2 unknown event types, 3 unknown fields" in table.stderr


def test_a_period_and_a_catalog_of_ones_own(payloads: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    late = tdcur_text("events", "--diff", payloads, "--since", "2026-07-01T10:00:30Z", "--format", "json")
    assert {each["field"] for each in json.loads(late.stdout)["unknown"]} == {"properties.new", "user.zip"}
    overlay = tmp_path_factory.mktemp("own") / "catalog.json"
    fields = {"new": {"in": "properties", "type": "int"}}
    overlay.write_text(json.dumps({"event_types": {PURCHASE: {"fields": fields}}}), encoding="utf-8")
    known = tdcur_text("events", "--diff", payloads, "--catalog", overlay, "--format", "json")
    assert known.returncode == 0, known.stderr
    assert "properties.new" not in {each["field"] for each in json.loads(known.stdout)["unknown"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--diff", "nowhere"], "nowhere: no such file"),
        ([PURCHASE, "--diff", "x"], "a TYPE cannot be given with --diff"),
        (["--diff", "x", "--new-in", "11"], "--new-in cannot be used with --diff"),
        (["--diff", "x", "--format", "ddl"], "--diff works only with --format table or json"),
        (["--jobs", "1"], "--jobs cannot be used with `events` without --diff"),
    ],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    ended = tdcur_text("events", *arguments)
    assert ended.returncode in {2, 6}
    assert message in ended.stderr
    assert ended.stdout == ""
