"""Tables of counts, compared with approved output.

`TDCUR_UPDATE_CASES=1 pytest tests/unit/render/test_count_tables.py` updates it.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from rich.cells import cell_len

from td_currents_cli.choices import Sort
from td_currents_cli.count import Count, CountOutcome, CountRequest, run
from td_currents_cli.count.result import together
from td_currents_cli.events.filter import Filter, TypeGlobs, zone_of
from td_currents_cli.outcome import Balance, ProblemLog
from td_currents_cli.read import sources
from td_currents_cli.render import render
from td_currents_cli.render.count_tables import axis, bar, scale_of
from td_currents_cli.render.grid import Cell, Grid, GridColumn, GroupNames, fold, without_trailing_spaces
from td_currents_cli.render.terminal import UNCLIPPED
from td_currents_cli.render.time_words import bucket_words
from tests.rendering import Screen, screen_of

ROOT: Final = Path(__file__).parents[3]
CASES: Final = ROOT / "tests" / "cases" / "tables"

WIDTHS: Final = {"60": 60, "80": 80, "120": 120, "200": 200, "pipe": None}
COUNTS: Final[dict[str, dict[str, Any]]] = {
    "types": {},
    "messages": {"wanted": Filter(types=TypeGlobs(("*.messages.*",))), "top": 7},
    "wide": {"by": ("event_type", "day"), "top": 3, "wide": True},
    "top": {"top": 5, "unique": True, "dedupe": True},
    "hours": {"by": ("category", "hour"), "zone": zone_of("Europe/Berlin"), "sort": Sort.NAME},
    "pivot": {"by": ("category", "channel", "hour"), "pivot": "hour", "top": 6},
    "pivot_types": {"by": ("event_type", "day"), "pivot": "event_type", "top": 4},
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
    limit = None if outcome.wide else WIDTHS[width]
    assert all(cell_len(line) <= (limit or 10_000) for line in screen.lines)


@pytest.mark.parametrize("name", ["messages", "pivot"])
def test_color_in_a_pipe_shortens_nothing(name: str, count: Callable[..., CountOutcome]) -> None:
    """With --color always, as in CI logs."""
    plain, colored = screen_of(), screen_of(UNCLIPPED)
    for screen in (plain, colored):
        render(count(COUNTS[name]), "table", screen.terminal)
    assert colored.out == plain.out


ODD_EVENTS: Final = (
    ("users.messages.email.Send", 1782896400, "x" * 300),
    ("users.messages.email.Open", 1650000000, "日本語キャンペーン" * 8),
    ("users.messages.sms.Send", -1, "שלום עולם مرحبا بالعالم"),
    ("users.messages.sms.Send", 1e30, "a word \u202e and \n\x1b[31m another one"),
    ("users.messages.sms.Send", "soon", ""),
    (None, 5, 5),
)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("by", ["name", "event_type,name", "month", "name,event_type|name", "event_type,hour|hour"])
def test_odd_values(by: str, width: str, tmp_path: Path, stored: Callable[[str, str], None]) -> None:
    """Names that are long, wide, from right to left, or missing; times in several years, before 1970, or missing."""
    file = tmp_path / "events.jsonl"
    events = ({"event_type": name, "time": time, "properties": {"name": value}} for name, time, value in ODD_EVENTS)
    file.write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    names, _, pivot = by.partition("|")
    screen = screen_of(WIDTHS[width])
    request = CountRequest(sources([str(file)]), by=tuple(names.split(",")), pivot=pivot or None, over_time=True)
    render(run(request), "table", screen.terminal)
    if width in {"80", "pipe"}:
        stored(f"odd_{by.replace(',', '_').replace('|', '_by_')}.{width}", screen.out)
    assert all(cell_len(line) <= (WIDTHS[width] or 10_000) for line in screen.lines)


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_few_groups_and_large_counts(groups: int, stored: Callable[[str, str], None]) -> None:
    """Bars and times are shown in 80 columns, also of billions of events without a time."""
    total, moments = 4_000_000_000, [datetime(2026, 12, 31, 23, 59, tzinfo=UTC), None]
    counts = [
        Count(key=(f"users.messages.email.{name}",), count=total // groups, share=1 / groups, first=moment, last=moment)
        for name, moment in zip(("Send", "Open"), moments, strict=True)
        if groups
    ][:groups]
    outcome = CountOutcome(
        counts=tuple(counts), total=together(counts, (None,), total), balance=Balance(), problems=ProblemLog().result()
    )
    screen = screen_of(80)
    render(outcome, "table", screen.terminal)
    stored(f"large_{groups}.80", screen.out)


@pytest.mark.parametrize(
    ("shares", "heading"),
    [
        ([], "0    100 %"),
        ([0.0], "0    100 %"),
        ([1e-9, 0.0], "0    0.1 %"),
        ([0.054, 0.046], "0     10 %"),
        ([0.2, 0.2], "0     20 %"),
        ([0.51], "0    100 %"),
    ],
)
def test_what_the_width_of_bars_means(shares: list[float], heading: str) -> None:
    scale = scale_of(shares)
    assert axis(scale, 10) == heading
    assert all(len(bar(share / scale, 10)) <= 10 for share in shares)


@pytest.mark.parametrize("width", [12, 13, 40])
@pytest.mark.parametrize("line", ["users.messages.email.Send", "one two  three four five", "x" * 99, "日本 語.ー" * 9])
def test_folded_lines_lose_nothing(line: str, width: int) -> None:
    lines = fold(line, width).split("\n")
    assert all(cell_len(each) <= width for each in lines)
    assert "".join(lines).replace(" ", "") == line.replace(" ", "")


@pytest.mark.parametrize(
    ("types", "prefix"),
    [
        ([], ""),
        ([None], ""),
        (["a"], ""),
        (["a.b", None], ""),
        (["users.messages.email.Send"], "users.messages."),
        (["users.messages.email.Send", None, "users.messages.sms.Send"], "users.messages."),
        (["users.messages.email.Send", "users.messages.Send"], "users."),
        (["users.messages.email.Send", "users.messagesx.email.Send"], "users."),
        (["users.canvas.Entry", "email.Send"], ""),
        (["users.messages.liveactivity.push.Send"], "users.messages."),
    ],
)
def test_short_names(types: list[str | None], prefix: str) -> None:
    assert GroupNames().shortened(types).prefix == prefix


@pytest.mark.parametrize(
    ("name", "words", "with_year"),
    [
        ("2026-07-01T09:00", "Jul 1 09:00", "Jul 1 2026 09:00"),
        ("2026-10-25T02:00+01:00", "Oct 25 02:00+01:00", "Oct 25 2026 02:00+01:00"),
        ("2026-12-31", "Dec 31", "Dec 31 2026"),
        ("2026-05", "May", "May 2026"),
        ("2026-W27", "2026-W27", "2026-W27"),
        ("2026-13", "2026-13", "2026-13"),
    ],
)
def test_times_in_words(name: str, words: str, with_year: str) -> None:
    assert bucket_words(name, with_year=False) == words
    assert bucket_words(name, with_year=True) == with_year


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
    names = GridColumn(head="name", cells=[Cell("aé☃"), Cell("日本")], rest=Cell("2 others"), foot=Cell("total"))
    numbers = GridColumn(head="n", cells=[Cell("1"), Cell("2,000")], rest=Cell("7"), foot=Cell("9"), right=True)
    bars = GridColumn(head="", cells=[Cell("█"), Cell("")], graphic=True)
    grid = Grid(columns=(names, numbers, bars), has_rest=has_rest, has_foot=has_foot)
    screen.terminal.out.print(grid.table(), crop=False)
    assert "".join(grid.plain()) == without_trailing_spaces(screen.out)


def test_many_unknown_types(tmp_path: Path, screen: Screen) -> None:
    """The time to print them is linear: quadratic, these would take minutes."""
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f'{{"event_type":"t{number}"}}\n' for number in range(50_000)))
    start = time.process_time()
    render(run(CountRequest(sources([str(file)]))), "table", screen.terminal)
    assert time.process_time() - start < 20
    assert len(screen.lines) == 50_000 + 7


def test_no_table_where_nothing_could_be_read(tmp_path: Path, screen: Screen) -> None:
    """Only the errors; a table of nothing where there is nothing to count."""
    path = tmp_path / "x.json"
    for content, is_shown in (("[1,", False), ('{"events":[]}', True)):
        path.write_text(content, encoding="utf-8")
        render(run(CountRequest(sources([str(path)]))), "table", screen.terminal)
        assert bool(screen.out) is is_shown
