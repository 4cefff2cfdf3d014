"""Tables of counts, compared with approved output.

`TDCUR_UPDATE_CASES=1 pytest tests/unit/render/test_count_tables.py` updates it.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from rich.cells import cell_len
from rich.text import Text

from td_currents_cli.choices import Sort
from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.events.filter import zone_of
from td_currents_cli.read import sources
from td_currents_cli.render import render
from td_currents_cli.render.count_tables import Grid, GridColumn
from tests.rendering import WIDTHS, Screen, screen_of

ROOT: Final = Path(__file__).parents[3]
CASES: Final = ROOT / "tests" / "cases" / "tables"

COUNTS: Final[dict[str, dict[str, Any]]] = {
    "types": {},
    "top": {"top": 5, "unique": True, "dedupe": True},
    "hours": {"by": ("category", "hour"), "zone": zone_of("Europe/Berlin"), "sort": Sort.NAME},
    "pivot": {"by": ("category", "channel", "hour"), "pivot": "hour", "top": 6},
    "references": {
        "by": ("channel",),
        "top": 2,
        "expect": Path("channels.csv"),
        "compare": Path("channels_before.csv"),
        "fail_on_drop": 0.3,
    },
}


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CountOutcome]:
    def counted(options: dict[str, Any]) -> CountOutcome:
        monkeypatch.chdir(CASES)
        return run(CountRequest(sources([str(ROOT / "sample_data" / "payloads")]), **options))

    return counted


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COUNTS)
def test_tables(name: str, width: str, count: Callable[..., CountOutcome], stored: Callable[[str, str], None]) -> None:
    screen = screen_of(WIDTHS[width])
    outcome = count(COUNTS[name] | {"over_time": WIDTHS[width] is not None})
    render(outcome, "table", screen.terminal)
    stored(f"{name}.{width}", screen.out + screen.err)
    assert all(cell_len(line) <= (WIDTHS[width] or 10_000) for line in screen.lines)


@pytest.mark.parametrize("form", ["markdown", "csv", "tsv", "jsonl"])
@pytest.mark.parametrize("name", ["top", "pivot", "references"])
def test_formats(
    name: str,
    form: str,
    count: Callable[..., CountOutcome],
    capfdbinary: pytest.CaptureFixture[bytes],
    stored: Callable[[str, str], None],
) -> None:
    screen = screen_of()
    render(count(COUNTS[name]), form, screen.terminal)
    stored(f"{name}.{form}", capfdbinary.readouterr().out.decode() + screen.out + screen.err)


@pytest.mark.parametrize("has_rest", [True, False])
@pytest.mark.parametrize("has_foot", [True, False])
def test_plain_tables_equal_those_of_rich(has_rest: bool, has_foot: bool, screen: Screen) -> None:
    names = GridColumn(head="name", cells=[Text("aé☃"), Text("日本")], rest=Text("2 others"), foot=Text("total"))
    numbers = GridColumn(head="n", cells=[Text("1"), Text("2,000")], rest=Text("7"), foot=Text("9"), right=True)
    bars = GridColumn(head="", cells=[Text("█"), Text("")], graphic=True)
    grid = Grid(columns=(names, numbers, bars), has_rest=has_rest, has_foot=has_foot)
    screen.terminal.out.print(grid.table(), crop=False)
    assert grid.plain() == screen.out


def test_many_unknown_types(tmp_path: Path, screen: Screen) -> None:
    """The time to print them is linear: quadratic, these would take minutes."""
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f'{{"event_type":"t{number}"}}\n' for number in range(50_000)))
    start = time.process_time()
    render(run(CountRequest(sources([str(file)]))), "table", screen.terminal)
    assert time.process_time() - start < 20
    assert len(screen.lines) == 50_000 + 7
