"""What `config`, `doctor`, and `journal` print, compared with approved output.

`TDCUR_UPDATE_CASES=1 pytest tests/unit/render/test_setup.py` updates it.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from td_currents_cli.choices import JournalAction
from td_currents_cli.doctor import Check, DoctorOutcome, Leftover, Verdict
from td_currents_cli.journal.list_journals import JournalFile, JournalOutcome, JournalRequest, TypeDeliveries
from td_currents_cli.journal.reader import JournalEndpoint
from td_currents_cli.list_settings import ConfigOutcome, InForce
from td_currents_cli.outcome import Outcome
from td_currents_cli.render import render
from tests.rendering import screen_of

ORIGIN: Final = "/home/ann/work/payloads/of-the-year/tdcur.toml, profile production"
STATE: Final = Path("/home/ann/.local/state/tdcur/in.treasuredata.com-events-currents-76aff94d")


def listed(action: JournalAction) -> JournalOutcome:
    url = "https://in.treasuredata.com/postback/v3/event/events/currents"
    endpoints = JournalEndpoint(url, has_older=False, requests=12_345), JournalEndpoint(url + "_2", True, 1)
    good = JournalFile(path=STATE / "journal.sqlite", bytes=3_500_000, used_at=time.time(), endpoints=endpoints)
    bad = JournalFile(path=STATE / "old.sqlite", bytes=0, used_at=time.time() - 90_000, trouble="not a journal")
    types = {
        "users.behaviors.liveactivity.PushToStartTokenChange": TypeDeliveries(12_345, 1_782_000_000.0, 1_782_900_000.0),
        "": TypeDeliveries(1),
    }
    return JournalOutcome(request=JournalRequest(action=action, folder=STATE.parent), journals=(good, bad), types=types)


OUTCOMES: Final[dict[str, Outcome]] = {
    "config": ConfigOutcome(
        settings=(
            InForce("site", "eu01", ORIGIN),
            InForce("database", "braze_events_of_production", ORIGIN),
            InForce("ignore", "TDC301", "/home/ann/.config/tdcur/tdcur.toml"),
        ),
        user_file=Path("/home/ann/.config/tdcur/tdcur.toml"),
        files=(Path("/home/ann/.config/tdcur/tdcur.toml"), Path("/home/ann/work/payloads/of-the-year/tdcur.toml")),
        profiles=("production", "staging"),
        profile="production",
    ),
    "doctor": DoctorOutcome(
        checks=(
            Check("tdcur", Verdict.OK, "0.1.0, Python 3.11.7, Linux"),
            Check(
                "destination", Verdict.NOTE, "no endpoint given", "Give --url URL, or --site, --database and --table."
            ),
            Check("temporary files", Verdict.WARNING, "1 left behind by runs that were killed, 45.1 kB", "Remove it."),
        ),
        leftovers=(Leftover(Path("/tmp/.tdcur-01d1865cfdc7bc77.tmp"), 1),),  # noqa: S108 -- a name
        cleaned=False,
    ),
    "journal_list": listed(JournalAction.LIST),
    "journal_show": listed(JournalAction.SHOW),
}


@pytest.mark.parametrize("width", [80, None])
@pytest.mark.parametrize("name", OUTCOMES)
def test_set_up(name: str, width: int | None, stored: Callable[[str, str], None]) -> None:
    """No line is wider than the terminal, but for paths, which stay whole to be copied; none ends with spaces."""
    screen = screen_of(width)
    render(OUTCOMES[name], "text", screen.terminal)
    stored(f"{name}_{width or 'pipe'}", screen.out + screen.err)
    assert not any(line.endswith(" ") for line in screen.lines)
    assert width is None or all(len(line) <= width for line in screen.lines if "sqlite" not in line)
