"""Pages in a real browser."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from td_currents_cli.count import CountRequest
from td_currents_cli.count import run as count
from td_currents_cli.read import sources
from td_currents_cli.render.html.count import count_page
from td_currents_cli.render.html.report import report_page
from td_currents_cli.report import ReportRequest
from td_currents_cli.report import run as report
from td_currents_cli.validate.command import Selection
from tests.rendering import HOSTILE, KEY

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
WIDTHS: Final = (390, 800, 1440)
CONTRAST: Final = """
() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => parse(color).slice(0, 3).map((each) => each / 255)
    .map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const back = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if ((parse(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const low = new Set();
  for (let node; node = texts.nextNode();) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const color = element.closest("svg") ? style.fill : style.color;
    const [high, less] = [light(color), light(back(element))].sort().reverse();
    if ((high + 0.05) / (less + 0.05) < 4.5) low.add(node.data.trim());
  }
  return [...low];
}
"""
"""Returns the texts whose contrast with what is behind them is below 4.5."""

REORDERED: Final = """
() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node; node = texts.nextNode();) {
    if (/[\\u0590-\\u08ff]/.test(node.data)) continue;
    let before = null;
    for (let place = 0; place < node.length; place++) {
      const range = document.createRange();
      range.setStart(node, place);
      range.setEnd(node, place + 1);
      const here = range.getBoundingClientRect();
      if (before && here.width && here.top === before.top && here.left < before.left) found.push(node.data);
      if (here.width) before = here;
    }
  }
  return found;
}
"""
"""Returns the texts in which a letter is left of the one before it."""


def reported(path: Path, **options: Any) -> str:
    return report_page(report(ReportRequest(sources=sources([str(path)]), selection=Selection.of((), ()), **options)))


def opened(page: "Page", content: str, folder: Path) -> None:
    path = folder / "page.html"
    path.write_text(content, encoding="utf-8")
    page.goto(path.as_uri())


def test_pages_fit_the_window(page: "Page", tmp_path: Path) -> None:
    """They do not scroll sideways: wide tables do, in their places. All text can be read."""
    by = ("event_type", "day", "campaign_name")
    counted = count_page(count(CountRequest(sources([str(SAMPLES / "payloads")]), by=by)))
    rows = str(SAMPLES / "rows" / "rows.csv")
    for content in (counted, reported(SAMPLES / "payloads", ingested=sources([rows]))):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            opened(page, content, tmp_path)
            page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
            assert page.evaluate(CONTRAST) == []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_hostile_data_is_only_text(page: "Page", tmp_path: Path) -> None:
    """Nothing runs, no element is made, and nothing next to it is reordered or hidden; keys are masked."""
    events = [
        {
            "event_type": name,
            "id": name,
            "time": 1782900000 + place,
            "user": {"user_id": name, "external_user_id": name, name: name},
            "properties": {"campaign_name": name, "canvas_name": name, "send_id": place, name: name},
            name: name,
        }
        for place, name in enumerate(HOSTILE)
    ]
    files = []
    for file, these in (("sent\u202e<b>.json", events), ("in`gested.json", [*events[1:], events[2], {"id": "\u05d0"}])):
        files.append(tmp_path / file)
        files[-1].write_text(json.dumps({"events": these}), encoding="utf-8")
    names = tuple(map(str, files))
    for title in HOSTILE[:4]:
        content = reported(files[0], ingested=sources([str(files[1])]), title=title, names=names)
        assert KEY not in content
        opened(page, content, tmp_path)
        page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
        assert page.evaluate("window.hacked") is None
        assert page.locator("script, img, iframe, object, link, body b").count() == 0
        assert page.locator("h1").all_inner_texts() == [page.locator("h1 bdi").inner_text()]
        assert (
            page.evaluate(
                "/[\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f\\u061c]/.test(document.documentElement.textContent)"
            )
            is False
        )
        assert page.evaluate(REORDERED) == []
    types = page.locator("#types tbody th").all_inner_texts()
    assert {name.removesuffix(" ?") for name in types} >= {HOSTILE[0], HOSTILE[1], HOSTILE[2], "td_write_key=***"}
    assert r"\u202egnihtyna\u202c" in page.locator("#types").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 1440


def test_a_page_asks_no_host(page: "Page", tmp_path: Path) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    opened(page, reported(SAMPLES / "payloads"), tmp_path)
    assert [url.rpartition("/")[2] for url in requests] == ["page.html"]


def test_the_policy_forbids_scripts_and_requests(context: "BrowserContext", tmp_path: Path) -> None:
    """Even if a template let one through."""
    page = context.new_page()
    injected = "<script>window.hacked = 1</script><img src='https://example.com/x' onerror='window.hacked = 2'></main>"
    opened(page, reported(SAMPLES / "payloads").replace("</main>", injected), tmp_path)
    assert page.locator("main script, main img").count() == 2
    assert page.evaluate("window.hacked") is None


def test_without_data(page: "Page", tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text('{"events": []}', encoding="utf-8")
    opened(page, reported(empty, ingested=sources([str(empty)])), tmp_path)
    assert page.locator("#types").inner_text().splitlines()[-1] == "No data: there are no events."
    assert "Events per day (UTC): no data" in page.locator("#time").inner_text()
    assert page.locator("#comparison .note").first.inner_text() == "Nothing to compare: no events were sent."
    assert page.locator("#types svg, #time svg, #comparison svg").count() == 0


def test_many_rows(page: "Page", tmp_path: Path) -> None:
    """Thousands of groups are one table, with each of them."""
    path = tmp_path / "many.jsonl"
    path.write_text(
        "".join(
            f'{{"event_type":"users.type.Number{number}","time":{1782900000 + number * 60}}}\n'
            for number in range(2_000)
        ),
        encoding="utf-8",
    )
    opened(page, count_page(count(CountRequest(sources([str(path)])))), tmp_path)
    assert page.locator("tbody tr").count() == 2_000
    assert page.locator("tfoot .number").first.inner_text() == "2,000"
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
