"""Tables of counts, compared with approved output.

`TDCUR_UPDATE_CASES=1 pytest tests/unit/test_count_tables.py` updates it.
"""

import os
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, Final

import pytest
from rich.cells import cell_len

from td_currents_cli.choices import Sort
from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.events.filter import zone_of
from td_currents_cli.read import sources
from td_currents_cli.render import render
from tests.rendering import screen_of

ROOT: Final = Path(__file__).parents[3]
CASES: Final = ROOT / "tests" / "cases" / "tables"
WIDTHS: Final = {"80": 80, "200": 200, "pipe": None}

COUNTS: Final[dict[str, dict[str, Any]]] = {
    "types": {},
    "top": {"top": 5, "unique": True, "dedupe": True},
    "hours": {"by": ("category", "hour"), "zone": zone_of("Europe/Berlin"), "sort": Sort.NAME},
    "pivot": {"by": ("category", "channel", "hour"), "pivot": "hour", "top": 6},
    "references": {
        "by": ("channel",),
        "top": 2,
        "expect": "channels.csv",
        "compare": "channels_before.csv",
        "fail_on_drop": 0.3,
    },
}


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CountOutcome]:
    def counted(options: dict[str, Any]) -> CountOutcome:
        monkeypatch.chdir(CASES)
        files = {name: Path(options[name]) for name in ("expect", "compare") if name in options}
        merged: dict[str, Any] = options | files
        return run(CountRequest(sources([str(ROOT / "sample_data" / "payloads")]), **merged))

    return counted


def check(name: str, text: str) -> None:
    path = CASES / f"{name}.txt"
    if os.environ.get("TDCUR_UPDATE_CASES"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COUNTS)
def test_tables(name: str, width: str, count: Callable[..., CountOutcome]) -> None:
    screen = screen_of(WIDTHS[width])
    outcome = count(COUNTS[name] | {"over_time": WIDTHS[width] is not None})
    render(outcome, "table", screen.terminal)
    check(f"{name}.{width}", screen.out + screen.err)
    assert all(cell_len(line) <= (WIDTHS[width] or 10_000) for line in screen.lines)


@pytest.mark.parametrize("form", ["markdown", "csv", "tsv", "jsonl"])
@pytest.mark.parametrize("name", ["top", "pivot", "references"])
def test_formats(name: str, form: str, count: Callable[..., CountOutcome], monkeypatch: pytest.MonkeyPatch) -> None:
    stream = TextIOWrapper(BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", stream)
    screen = screen_of()
    render(count(COUNTS[name]), form, screen.terminal)
    check(f"{name}.{form}", stream.detach().getvalue().decode() + screen.out + screen.err)
