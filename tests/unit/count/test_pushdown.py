"""Every count that can run inside Treasure Data, run as Trino SQL and compared with the local count."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.catalog import load
from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import Filter, TypeGlobs, zone_of
from td_currents_cli.read import sources
from tests.td_service.engine import Engine
from tests.td_service.service import Service

ADDRESS = "td://braze/currents"
TABLE = ("braze", "currents")


def event(number: int, **members: Any) -> dict[str, Any]:
    """A random event with unusual fields."""
    types = [*list(load().events)[::7], "users.behaviors.Unheard", 'it\'s; DROP TABLE "x" --']
    return {
        "event_type": types[number % len(types)],
        "id": f"e-{number}",
        "time": 1_782_864_000 + number * 7_919,
        "user": {"user_id": f"u-{number % 5}", "external_user_id": f"x-{number}"},
        "properties": {"campaign_name": ["Été ☃", "it's", 'say "hi"', "", None][number % 5], "price": number / 2},
        **members,
    }


ODD = [
    event(1, time="1782900000"),
    event(2, time="soon"),
    event(3, time=1_782_900_000_000),
    event(4, time=True),
    event(5, time=1782900000.25),
    event(6, event_type=7),
    event(7, event_type=""),
    event(8, id=None),
    event(9, id=9),
    event(10, user=None, properties=None),
    event(11, user="nobody", properties=[1]),
    event(12, event_type="tdcur.canary"),
    event(13, event_type="tdcur.canary", time=1_782_900_000),
    {"event_type": "flat", "id": "f", "time": 1_782_900_001, "campaign_name": "flat", "user_id": "u-1"},
    {},
]
BATCHES = [
    json.dumps([event(number) for number in range(60)]),
    json.dumps({"events": [event(number) for number in range(50, 70)]}),
    json.dumps(ODD),
    json.dumps(event(99)),
    json.dumps({"events": None}),
    "[]",
    "",
    "null",
    None,
]
BROKEN = [
    *BATCHES,
    '[{"id" 1}]',
    "7",
    '{"no": "events"}',
    '{"events": {"id": 1}}',
    '[7, null, {"event_type": "x", "id": "good", "time": 1}]',
    "plain text",
]


Both = Callable[..., tuple[CountOutcome, CountOutcome]]


@pytest.fixture
def both(running: Service, tmp_path: Path) -> Both:
    """Counts the same rows in Trino and locally."""

    def count(rows: list[dict[str, Any]], **options: Any) -> tuple[CountOutcome, CountOutcome]:
        running.reset(Engine({TABLE: rows}), {TABLE: {name: "string" for name in rows[0] if name != "time"}})
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        there = run(CountRequest((), tables=running.addressed(), **options))
        return there, run(CountRequest(sources([str(file)]), **options))

    return count


def rows_of(cells: list[str | None]) -> list[dict[str, Any]]:
    return [{"time": number, "events": cell} for number, cell in enumerate(cells)]


def figures(outcome: CountOutcome) -> dict[str, Any]:
    """All fields that scripts see, except problems and the source."""
    text = json.dumps({**outcome.summary(), **outcome.data(), "problems": 0}, default=str)
    found: dict[str, Any] = json.loads(text)
    return found


GLOBS = [
    ["users.messages.*"],
    ["*EMAIL*", "!*.Open"],
    ["!users.*"],
    ["it's*", "users.[a-c]*", "users.[!a-b]*.?nheard", "[", "a+b", "\\d"],
    ["*"],
    ["!*"],
    ["!?*"],
]
WANTED = [
    *(Filter(types=TypeGlobs.of(globs)) for globs in GLOBS),
    Filter(since=1_782_900_000.0),
    Filter(canaries=False),
    Filter(types=TypeGlobs.of(["!users.*"]), since=1_782_900_000.0, canaries=False),
    Filter(until=1_782_950_000.5),
    Filter(types=TypeGlobs.of(["users.*"]), since=1_782_880_000.0, until=1_782_990_000.0),
]
NAMES = ["it's", "a' OR '1'='1", "'; DROP TABLE currents; --", "a b;c", "$[0]", "événement"]
"""Fields and globs are escaped."""


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        *(
            (BATCHES, {"by": tuple(by.split(",")), "unique": "unique" in extra, "dedupe": "dedupe" in extra})
            for by, extra in (
                ("event_type", ""),
                ("event_type", "unique"),
                ("event_type", "dedupe"),
                ("category", "unique,dedupe"),
                ("channel", "unique"),
                ("hour", "dedupe"),
                ("week", "unique"),
                ("month", ""),
                ("campaign_name", "unique,dedupe"),
                ("properties.price", ""),
                ("event_type,day", "unique,dedupe"),
                ("user_id,week", "unique"),
                ("campaign_name,channel,month", "dedupe"),
            )
        ),
        *((BATCHES, {"by": ("day", "hour"), "zone": zone_of(zone)}) for zone in ("Europe/Berlin", "America/St_Johns")),
        *((BATCHES, {"wanted": wanted, "dedupe": True}) for wanted in WANTED),
        *(
            (
                [json.dumps([event(1, properties={name: "value"}), event(2, event_type=name)])],
                {"by": (f"properties.{name}",), "wanted": Filter(types=TypeGlobs.of([f"*{name}*", "users.*"]))},
            )
            for name in NAMES
        ),
    ],
    ids=lambda value: str(list(value.values())) if isinstance(value, dict) else "",
)
def test_counts_are_the_same(both: Both, cells: list[str | None], options: dict[str, Any]) -> None:
    there, here = both(rows_of(cells), **options)
    assert figures(there) == figures(here)
    assert there.exit_code == here.exit_code
    assert there.balance.events_read > 0


@pytest.mark.parametrize(("zone", "time"), [("Europe/Berlin", 1792887300), ("Australia/Lord_Howe", 1775309400)])
def test_hours_when_clocks_go_back(both: Both, zone: str, time: int) -> None:
    """One of them occurs twice; on an island, half of it."""
    cells: list[str | None] = [json.dumps([event(number, time=time + 900 * number) for number in range(-16, 16)])]
    there, here = both(rows_of(cells), by=("hour", "event_type"), zone=zone_of(zone), unique=True, dedupe=True)
    assert figures(there) == figures(here)
    assert any(count.key[0] and len(count.key[0]) > 16 for count in here.counts)


def test_malformed_cells(both: Both) -> None:
    """They are counted as locally, and reported."""
    there, here = both(rows_of(BROKEN))
    assert there.balance == here.balance
    assert there.problems.errors == here.problems.errors
    assert there.exit_code == here.exit_code == 1
    assert [(each.code, str(each.location), each.message.partition(";")[0]) for each in there.problems.kept] == [
        ("TDC020", ADDRESS, "5 rows have cells without readable events"),
        ("TDC101", ADDRESS, "2 elements of batches are not events"),
    ]
    assert there.problems.kept[0].message.endswith(
        "`tdcur parse -o FILE` tells why, and recovers the events of truncated cells"
    )


def test_events_as_strings(both: Both) -> None:
    """An array of strings, each an event, and a batch encoded twice give the same counts."""
    plain = [event(number) for number in range(9)]
    texts = json.dumps([json.dumps(each) for each in plain]), json.dumps(json.dumps({"events": plain}))
    there, _ = both(rows_of([*texts]))
    _, here = both(rows_of([json.dumps(plain), json.dumps({"events": plain})]))
    assert figures(there) == figures(here)


@pytest.mark.parametrize("by", ["event_type", "user_id,day", "properties.campaign_name", "campaign_name"])
def test_flat_tables(both: Both, by: str) -> None:
    """Rows of the streaming connector are counted as the same flat events are locally."""
    rows = [
        {
            "time": 1_782_864_000 + number * 7_919,
            "event_type": ["users.messages.email.Open", "users.behaviors.Purchase"][number % 2],
            "id": f"e-{number % 15}",
            "user_user_id": f"u-{number % 3}",
            "properties_campaign_name": [None, "it's", ""][number % 3],
        }
        for number in range(20)
    ]
    there, here = both(rows, by=tuple(by.split(",")), unique=True, dedupe=True)
    assert figures(there)["counts"] == figures(here)["counts"]
    assert there.streaming
    assert here.streaming


def test_several_tables(running: Service) -> None:
    """Their counts add up; distinct ids cannot."""
    other = ("braze", "more")
    rows = [{"time": 1, "events": BATCHES[0]}]
    running.reset(Engine({TABLE: rows, other: rows}), {TABLE: {"events": "string"}, other: {"events": "string"}})
    tables = running.addressed(ADDRESS, "td://braze/more")
    outcome = run(CountRequest((), tables=tables, by=("source",)))
    assert {count.key[0]: count.count for count in outcome.counts} == {ADDRESS: 60, "td://braze/more": 60}
    with pytest.raises(UsageError, match="one table at a time"):
        run(CountRequest((), tables=tables, unique=True))


def test_table_without_rows_in_the_period(running: Service) -> None:
    """The problem names the table and what to do. Rows without an event count as rows."""
    empty, blank = ("braze", "empty"), ("braze", "blank")
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {
        TABLE: [{"time": 1, "events": BATCHES[0]}],
        empty: [],
        blank: [{"time": 1, "events": None}],
    }
    running.reset(Engine({**rows}), {table: {"events": "string"} for table in rows})
    outcome = run(CountRequest((), tables=running.addressed("td://braze/empty", ADDRESS, "td://braze/blank")))
    assert (outcome.balance.rows_read, outcome.balance.events_out, outcome.exit_code) == (2, 60, 0)
    assert [(each.code, each.severity, str(each.location)) for each in outcome.problems.kept] == [
        ("TDC005", "warning", "td://braze/empty")
    ]
    assert "--received-since" in outcome.problems.kept[0].message
