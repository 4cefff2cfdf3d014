"""Draws the pictures of the documents from what the program prints and writes: `python -m tests.pictures`.

Pages are drawn where Playwright (the extra `browser`) and Chromium are installed. `python -m tests.pictures FOLDER`
draws all pages in a folder, to look at: at three widths, in light and dark.
"""

import json
import os
import pty
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from importlib.util import find_spec
from io import StringIO
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, TypeAlias

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.browser.chromium import chromium
from tests.serving import Served

Scheme: TypeAlias = Literal["light", "dark"]

ROOT: Final = Path(__file__).parents[1]
PICTURES_FOLDER: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 104

PICTURES: Final = {
    "validate-and-count.svg": (
        "tdcur validate sample_data/payloads/treasure_data_documented_shape.json",
        "tdcur count sample_data/rows/rows.csv --by channel --limit 4",
    )
}
"""The commands of each picture."""


def on_terminal(command: str, folder: Path) -> str:
    """What a command prints on a terminal, with its colors."""
    reader, terminal = pty.openpty()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TDCUR", "TD_", "GITHUB", "CI"))},
        "TERM": "xterm-256color",
        "COLUMNS": str(WIDTH),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    with subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment, stdout=terminal, stderr=terminal):
        os.close(terminal)
        printed = bytearray()
        # Reading fails once nobody holds the other end.
        try:
            while chunk := os.read(reader, 65536):
                printed += chunk
        except OSError:
            pass
    os.close(reader)
    # What was printed and then erased is not part of the picture.
    return re.sub(r"\x1b\[[0-9;?]*[A-LN-Zhl]", "", printed.decode().replace("\r\n", "\n")).split("\r")[-1]


def draw(commands: tuple[str, ...], folder: Path) -> str:
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    for command in commands:
        console.print(Text.assemble(("$ ", "bold green"), command))
        console.print(Text.from_ansi(on_terminal(command, folder)))
    svg = console.export_svg(title="tdcur", theme=MONOKAI, unique_id="tdcur")
    # The fonts are those of the reader's machine: no request to another host.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


WIDTHS: Final = (390, 800, 1440)
TALL: Final = 5000
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")

PAGES: Final = {
    "report": """
        mkdir sent arrived
        for day in {1..28}; do
            printf -v date 2026-06-%02d $day
            events=$((400 + 97 * (day * 11 % 7) + 13 * day))
            tdcur generate --quiet --events $events --seed $day --start ${date}T06:00 -o sent/$date.jsonl
        done
        cp sent/*.jsonl arrived
        sed -i 2d arrived/2026-06-17.jsonl
        tdcur report sent --ingested arrived --title "Braze Currents, June 2026" -o page.html || true
    """,
    "count": "tdcur count --format html $OLDPWD/sample_data/payloads >page.html",
    "reconcile": """
        cp -r $OLDPWD/sample_data/payloads arrived
        mv arrived/purchases.json more.json
        cp arrived/email_campaign.json arrived/again.json
        sed -i 's/"campaign_name": "[A-M]/&x/' arrived/push_notifications.json
        tdcur reconcile --sent $OLDPWD/sample_data/payloads --ingested arrived --format html >page.html || true
    """,
    "no-data": """
        echo '{"events": []}' >none.json
        tdcur report none.json --ingested none.json -o page.html || true
    """,
}
"""Commands of bash, in an empty folder, that write `page.html`; `$OLDPWD` is the folder of the project."""

SERVED: Final = ("serve", "serve-many-types", "serve-empty")
"""Pages of `tdcur serve`."""

HEIGHTS: Final = {390: 880, 800: 1000, 1440: 1010}
SHOTS: Final = {
    f"{page}-{width}-{scheme}.png": (page, width, HEIGHTS[width], scheme)
    for page, width, scheme in product(("report", "serve"), WIDTHS, SCHEMES)
}
"""Pictures of the documents: the page, the width and height of its window, and the scheme."""


def write_page(name: str, folder: Path) -> str:
    """Run the commands of a page in a folder; returns its address."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    script = f'cd "$1"\n{PAGES[name]}'
    command = ["bash", "-euc", script, "bash", str(folder)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}, check=True, stderr=subprocess.DEVNULL)
    return (folder / "page.html").as_uri()


def serve_page(name: str, stack: ExitStack) -> str:
    """Start an endpoint, and send to it; returns the address of its page."""
    folder = Path(stack.enter_context(TemporaryDirectory()))
    endpoint = stack.enter_context(Served(folder / "rows.jsonl", watched="masked"))
    if name == "serve-many-types":
        for number in range(300):
            event = {"event_type": f"{'a_long_name_of_' * 6}type.Number{number}", "id": "مرحبا " * 20, "time": 1}
            endpoint.ask(json.dumps({"events": [event | {"user": {"n" * 90: "v" * 900}}] * (1 + number % 7)}))
        endpoint.ask(path="/" + "x" * 280)
    elif name == "serve":
        command = [sys.executable, "-m", "td_currents_cli", "generate", "--events", "3000", "--quiet"]
        payloads = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.splitlines()
        for number, payload in enumerate(payloads):
            endpoint.ask(payload)
            time.sleep(0.2 + 0.3 * (number % 7 == 0))
        endpoint.ask(b'{"events": [')
        endpoint.ask(headers={})
        events = json.loads(payloads[0])["events"][:40]
        events[0]["time"] = str(events[0]["time"])
        del events[1]["user"]
        endpoint.ask(json.dumps({"events": events, "sender": "test"}))
    return endpoint.page_url


def draw_pages(folder: Path | None) -> None:
    """Draw the pictures of the documents, or all pages into a folder."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- an extra

    pages = {*PAGES, *SERVED} if folder else {name for name, *_ in SHOTS.values()}
    with ExitStack() as stack:
        addresses = {
            name: write_page(name, Path(stack.enter_context(TemporaryDirectory())))
            if name in PAGES
            else serve_page(name, stack)
            for name in pages
        }
        running = stack.enter_context(sync_playwright())
        browser = stack.enter_context(running.chromium.launch(executable_path=chromium()))

        def draw(name: str, path: Path, width: int, height: int, scheme: Scheme) -> None:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(addresses[name])
            if name in SERVED:
                page.get_by_text("Live", exact=True).wait_for()
                page.wait_for_timeout(1000)
            page.screenshot(path=path)
            page.close()

        if folder is None:
            for file, (name, width, height, scheme) in SHOTS.items():
                draw(name, PICTURES_FOLDER / file, width, height, scheme)
            return
        for name, width, scheme in product(pages, WIDTHS, SCHEMES):
            draw(name, folder / f"{name}-{width}-{scheme}.png", width, TALL, scheme)


def main(folder: Path | None) -> None:
    if folder is None:
        for name, commands in PICTURES.items():
            (PICTURES_FOLDER / name).write_text(draw(commands, ROOT), encoding="utf-8")
    if chromium() and find_spec("playwright"):
        draw_pages(folder)
    else:
        print("pages are not drawn: that takes Playwright (the extra `browser`) and Chromium")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
