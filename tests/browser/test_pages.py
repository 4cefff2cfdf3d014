"""Pages in a real browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from td_currents_cli.count import CountRequest, run
from td_currents_cli.read import sources
from td_currents_cli.render.html.count import count_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_a_page_fits_the_window(width: int, page: "Page", tmp_path: Path) -> None:
    """It does not scroll sideways: wide tables do, in their places."""
    path = tmp_path / "count.html"
    outcome = run(CountRequest(sources([str(SAMPLES / "payloads")]), by=("event_type", "day", "campaign_name")))
    path.write_text(count_page(outcome), encoding="utf-8")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("tbody tr").count() == len(outcome.counts)
