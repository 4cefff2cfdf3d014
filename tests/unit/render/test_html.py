"""Pages for a browser: the same numbers as elsewhere, and nothing from the data that a browser would act on."""

import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.events.filter import zone_of
from td_currents_cli.read import sources
from td_currents_cli.reconcile import ReconcileRequest
from td_currents_cli.reconcile import run as reconcile
from td_currents_cli.reconcile.file_side import FileSide
from td_currents_cli.render.charts import GAP, step_of, time_chart
from td_currents_cli.render.html import page as html_page
from td_currents_cli.render.html import stylesheet
from td_currents_cli.render.html.count import count_page
from td_currents_cli.render.html.reconcile import comparison
from td_currents_cli.render.reconcile import verdict
from tests.rendering import HOSTILE, KEY

SAMPLES: Final = Path(__file__).parents[3] / "sample_data"


class Tables(HTMLParser):
    """The cells of all tables of a page, a list for each row, and all elements that it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: set[str] = set()
        self._is_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "tr":
            self.rows.append([])
        self._is_cell |= tag in {"th", "td"}
        if tag in {"th", "td"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_cell &= tag not in {"th", "td"}

    def handle_data(self, data: str) -> None:
        if self._is_cell:
            self.rows[-1][-1] += data


def counted(*paths: Path, **options: Any) -> CountOutcome:
    return run(CountRequest(sources(list(map(str, paths))), **options))


@pytest.mark.parametrize("by", [("event_type",), ("day",), ("channel", "day")], ids=",".join)
def test_a_page_has_the_numbers_of_the_outcome(by: tuple[str, ...]) -> None:
    outcome = counted(SAMPLES / "payloads", by=by)
    document = json.loads(json.dumps(outcome.as_dict()))
    _head, *rows, total = Tables(count_page(outcome)).rows
    numbers = [int(row[len(by)].replace(",", "")) for row in rows]
    assert numbers == [count["count"] for count in document["counts"]]
    assert (total[0], total[len(by)]) == ("total", str(document["summary"]["total"]))


def test_charts_draw_the_numbers() -> None:
    """From 0, in proportion; days without events have a place on the axis."""
    chart = time_chart(counted(SAMPLES / "payloads", by=("day",)))
    first, last = chart.bars
    assert chart.title == "Events per day (UTC), 2026"
    assert (first.label, last.label) == ("1", "129")
    assert [tick.label for tick in chart.ticks] == ["Jun 29", "Jun 30", "Jul 1"]
    assert [level.label for level in chart.levels] == ["0", "50", "100", "150"]
    zero = chart.levels[0].y
    assert (last.y + last.height, first.y + first.height) == (zero, zero)
    assert last.height / first.height == pytest.approx(129, rel=0.01)


@pytest.mark.parametrize(
    ("unit", "moments", "bars", "places"),
    [
        ("hour", ["2026-10-24T21:10+00:00", "2026-10-25T00:00+00:00"], 2, 4),
        # Clocks go back in Berlin: two hours have the name 02:00.
        ("hour", ["2026-10-25T00:30+00:00", "2026-10-25T01:30+00:00"], 2, 2),
        ("week", ["2026-12-21T00:00+00:00", "2027-01-11T00:00+00:00"], 2, 4),
        ("month", ["2026-01-31T00:00+00:00", "2027-03-01T00:00+00:00"], 2, 15),
        ("day", ["2026-01-01T00:00+00:00", "9999-12-31T00:00+00:00"], 2, 2),
    ],
)
def test_the_axis_of_a_chart_is_even(unit: str, moments: list[str], bars: int, places: int, tmp_path: Path) -> None:
    """Every hour, day, week, or month has a place, unless there are too many of them."""
    events = [{"time": int(datetime.fromisoformat(moment).timestamp())} for moment in moments]
    (tmp_path / "events.json").write_text(json.dumps({"events": events}), encoding="utf-8")
    chart = time_chart(counted(tmp_path / "events.json", by=(unit,), zone=zone_of("Europe/Berlin")))
    assert len(chart.bars) == bars
    assert chart.bars[0].width / GAPLESS == pytest.approx(100 / places, rel=0.001)


GAPLESS: Final = 1 - GAP
"""What a bar takes of its place."""


def test_what_a_chart_does_not_draw(tmp_path: Path) -> None:
    """Events without a usable time are said in words; with a limit, there is no chart."""
    events = [{"time": time} for time in (1782900000, 1782990000, "never", None)]
    (tmp_path / "events.json").write_text(json.dumps({"events": events}), encoding="utf-8")
    outcome = counted(tmp_path / "events.json", by=("day",))
    assert "because their time cannot be used: 2" in count_page(outcome)
    assert "figure" not in Tables(count_page(counted(tmp_path / "events.json", by=("day",), top=1))).elements


def test_no_data_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text('{"events": []}', encoding="utf-8")
    for by in ("event_type", "day"):
        page = count_page(counted(tmp_path / "empty.json", by=(by,)))
        assert ("no data" in page, Tables(page).elements & {"table", "figure"}) == (True, set())


@pytest.mark.parametrize(
    ("highest", "step"), [(1, 1), (4, 1), (5, 2), (129, 50), (300_000, 100_000), (400_001, 200_000)]
)
def test_steps_of_an_axis(highest: int, step: int) -> None:
    assert step_of(highest) == step


def luminance(color: str) -> float:
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colors_have_enough_contrast() -> None:
    """4.5 for text and 3 for bars (WCAG 2.2), in light and dark."""
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w{6})", rule)) for rule in re.findall(r":root \{(.*?)\}", stylesheet(), re.DOTALL)
    )
    for colors in (light, dark):
        for back in ("page", "surface"):
            for name in colors.keys() - {"page", "surface", "line"}:
                high, low = sorted((luminance(colors[name]), luminance(colors[back])), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= (3 if name == "bar" else 4.5), (name, back)


def test_a_comparison_has_the_numbers_of_the_outcome(tmp_path: Path) -> None:
    """Totals, and those of each event type."""
    rows = (SAMPLES / "rows" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    events = [event for row in rows for event in json.loads(json.loads(row)["events"])]
    sides = {"sent.json": events, "ingested.json": [*events[40:], events[50], {"id": "new", "event_type": "new"}]}
    for name, these in sides.items():
        (tmp_path / name).write_text(json.dumps({"events": these}), encoding="utf-8")
    sent, ingested = (FileSide(sources([str(tmp_path / name)])) for name in sides)
    outcome = reconcile(ReconcileRequest(sent, ingested, show=2))
    page = html_page("reconcile.html", title="x", comparison=comparison(outcome))
    rows_of_page = {row[0]: row[1:] for row in reversed(Tables(page).rows)}
    summary: dict[str, Any] = json.loads(json.dumps(outcome.summary()))
    results = ("matched", "missing", "changed", "unexpected", "duplicated")
    assert [rows_of_page[name][0] for name in results] == [str(summary[name]) for name in results]
    heads, *types = [row for row in Tables(page).rows if len(row) == 7]
    for name, *numbers in types[:-1]:
        by_name = dict(zip(heads[1:], map(int, numbers), strict=True))
        assert by_name == {kind: summary["by_type"][name][kind] for kind in by_name}
    assert verdict(outcome)[0] in page


def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    """No element, control character, or key comes from the data, and long names are shortened; see tests/browser."""
    events = [{"event_type": name, "properties": {"campaign_name": name}} for name in HOSTILE]
    (tmp_path / "events.json").write_text(json.dumps({"events": events}), encoding="utf-8")
    usual = Tables(count_page(counted(SAMPLES / "payloads"))).elements
    for by in ("event_type", "campaign_name"):
        page = count_page(counted(tmp_path / "events.json", by=(by,)))
        assert Tables(page).elements <= usual
        assert all(letter.isprintable() or letter == "\n" for letter in page)
        assert (KEY in page, "td_write_key=***" in page) == (False, True)
        assert "x" * 301 not in page
