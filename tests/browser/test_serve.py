"""The page of `serve` in a real browser, fed by `tdcur send` and by requests."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.command import tdcur_text
from tests.serving import BODY, Served, Start

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
MARKUP: Final = "<script>document.title='hacked'</script><img src=x onerror=document.title='hacked'>"
HOSTILE: Final = f"{MARKUP}\u202egnp.\u2066\u200b\x1b[31m"
SHOWN: Final = rf"{MARKUP}\u202egnp.\u2066\u200b\x1b[31m"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(watched: str = "masked", **options: Any) -> Served:
            return stack.enter_context(Served(tmp_path / "rows.jsonl", watched=watched, **options))

        yield started


def opened(page: "Page", endpoint: Served) -> "Page":
    page.goto(endpoint.page_url)
    page.get_by_text("Live", exact=True).wait_for()
    return page


def rows(page: "Page", section: str) -> "Locator":
    return page.locator(f"#{section} tbody tr:visible")


def payload(*event_types: object, **fields: Any) -> bytes:
    return json.dumps({"events": [{"event_type": each} | fields for each in event_types]}).encode()


def test_what_is_sent_appears(start: Start, page: "Page") -> None:
    """Without a reload: the numbers of the file, the latest payload with its events, the time line."""
    endpoint = start()
    opened(page, endpoint)
    assert page.get_by_text("Nothing has arrived yet").is_visible()
    sent = tdcur_text(
        *("send", SAMPLES / "payloads/purchases.json", "--url", endpoint.url("demo", "currents"), "--no-journal"),
        env={"TD_WRITE_KEY": "any"},
    )
    assert sent.returncode == 0, sent.stderr
    total = endpoint.stats.events
    page.locator(".figures dd", has_text=re.compile(f"^{total:,}$")).first.wait_for()
    numbers = [int(text.replace(",", "")) for text in page.locator("#types tbody td:nth-child(3)").all_inner_texts()]
    assert sum(numbers) == total
    assert page.get_by_role("img", name=re.compile(f"{total:,} events in the last 120 seconds")).is_visible()
    page.get_by_role("heading", name=re.compile(r"Payload \d+")).wait_for()
    assert page.get_by_text("Nothing has arrived yet").is_hidden()


def test_problems_are_shown_where_they_are(start: Start, page: "Page") -> None:
    """A problem in the list unfolds the tree down to its place, and moves the focus there."""
    endpoint = start()
    events = json.loads((SAMPLES / "payloads/purchases.json").read_text())
    events["events"][3]["properties"]["app_id"] = 7
    endpoint.ask(json.dumps(events))
    opened(page, endpoint)
    page.get_by_role("button", name="/events/3/properties/app_id").click()
    focused = page.locator(":focus")
    assert focused.inner_text() == "app_id: 7"
    assert "TDC203" in focused.locator("xpath=..").inner_text()
    # Reading a payload keeps it.
    endpoint.ask(BODY)
    rows(page, "payloads").nth(1).wait_for()
    assert page.get_by_role("heading", name="Payload 1").is_visible()
    assert page.get_by_role("button", name="Follow the latest").get_attribute("aria-pressed") == "false"


def test_refused_requests_have_reasons(start: Start, page: "Page") -> None:
    endpoint = start(write_key="1/right")
    endpoint.ask(b"{", headers={"X-TD-Write-Key": "1/right"})
    endpoint.ask(headers={"X-TD-Write-Key": "1/wrong"})
    endpoint.ask(headers={})
    opened(page, endpoint)
    rows(page, "not-stored").nth(2).wait_for()
    reasons = page.locator("#not-stored td:last-child").all_inner_texts()
    assert reasons == [
        "rejected: no write key: v2 expects it as Authorization: TD1 or X-TD-Write-Key",
        "not stored: wrong write key",
        "rejected: the body is not JSON",
    ]


def test_filter_pause_and_keys(start: Start, page: "Page") -> None:
    """All of it without a mouse."""
    from playwright.sync_api import expect  # noqa: PLC0415 -- an extra

    endpoint = start()
    endpoint.ask(payload("users.a.Open", "users.b.Click"))
    opened(page, endpoint)
    rows(page, "types").nth(1).wait_for()
    page.keyboard.press("/")
    page.keyboard.type("CLICK")
    expect(page.locator("#matches")).to_have_text("2 rows")  # and the payload
    assert [text.split() for text in rows(page, "types").all_inner_texts()] == [["users.b.Click", "1", "50.0", "%"]]
    endpoint.ask(payload("users.c.Send"))
    page.locator(".figures dd", has_text=re.compile("^3$")).first.wait_for()
    expect(rows(page, "types")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(rows(page, "types")).to_have_count(3)

    page.keyboard.press("Tab")  # out of the field, where p is a letter
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    endpoint.ask(payload("users.d.Send"))
    page.wait_for_timeout(800)
    expect(rows(page, "types")).to_have_count(3)
    page.keyboard.press("p")
    rows(page, "types").nth(3).wait_for()

    page.locator("#payloads").get_by_role("link", name="Show payload 1", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Payload 1").wait_for()
    expect(page.locator(":focus")).to_have_text("Payload 1")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Follow the latest")
    page.keyboard.press("Escape")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Show payload 1")


@pytest.mark.parametrize("scripts", [True, False], ids=["live", "static"])
def test_hostile_text_is_text(start: Start, browser: "Browser", scripts: bool) -> None:
    """In every field and name: nothing runs, nothing becomes an element, and no text changes its order."""
    endpoint = start(watched="unmasked")
    event = {HOSTILE: HOSTILE, "user": {HOSTILE: [HOSTILE, {HOSTILE: 1}]}, "properties": HOSTILE, "id": HOSTILE}
    endpoint.ask(payload(HOSTILE, **event))
    endpoint.ask(b'{"' + HOSTILE.encode())
    endpoint.ask(path="/" + "%3Cscript%3E" + "<script>x</script>")
    with browser.new_context(java_script_enabled=scripts) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.goto(endpoint.page_url)
        if scripts:
            page.get_by_role("link", name="Show payload 1", exact=True).first.click()
            page.get_by_role("heading", name="Payload 1").wait_for()
            for summary in page.locator("#payload summary").all():
                if not summary.locator("xpath=..").evaluate("element => element.open"):
                    summary.click()
            assert page.locator("#payload .leaf", has_text=SHOWN).count() >= 4
        assert page.locator("#types tbody th").first.inner_text() == SHOWN
        text = page.locator("body").inner_text()
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x1b]", text)
        assert page.title() == "tdcur serve"
        assert page.locator("main script, main img, main iframe").count() == 0
        assert wrong == []


def test_it_fits_the_window(start: Start, page: "Page") -> None:
    """Also with long names and many types, nothing scrolls sideways; dark and light are what the system says."""
    endpoint = start()
    endpoint.ask(payload(*(f"{'long' * 40}.{number}" for number in range(60)), **{"n" * 500: "v" * 500}))
    endpoint.ask(path="/" + "x" * 280)
    opened(page, endpoint).get_by_role("heading", name="Payload 1").wait_for()
    colors = "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    for width in (390, 800, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    for is_dark in (False, True):
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        text, background = (sum(map(int, re.findall(r"\d+", each)[:3])) for each in page.evaluate(colors))
        assert (text > background) == is_dark


def test_a_server_that_stops_is_reported(page: "Page", tmp_path: Path) -> None:
    with Served(tmp_path / "other.jsonl", watched="masked") as endpoint:
        opened(page, endpoint)
    page.get_by_text("Disconnected").wait_for()


def test_a_page_of_another_site_reads_nothing(start: Start, context: "BrowserContext") -> None:
    """Its browser does not hand it the answer, since no header allows it."""
    endpoint = start()
    page = context.new_page()
    page.goto("data:text/html,another site")
    read = "url => fetch(url).then(found => found.status, () => 'blocked')"
    assert page.evaluate(read, f"{endpoint.page_url}api/summary") == "blocked"
