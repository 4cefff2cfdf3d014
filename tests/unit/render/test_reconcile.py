"""What `tdcur reconcile` prints for people, compared with approved output.

`TDCUR_UPDATE_CASES=1 pytest tests/unit/render/test_reconcile.py` updates it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from rich.cells import cell_len

from td_currents_cli.read import sources
from td_currents_cli.reconcile import ReconcileOutcome, ReconcileRequest, TimeScope, failing, run
from td_currents_cli.reconcile.file_side import FileSide
from td_currents_cli.render import render
from tests.rendering import WIDTHS, Screen, screen_of

ROWS: Final = Path(__file__).parents[3] / "sample_data" / "rows" / "rows.jsonl"
EVENTS: Final[list[dict[str, Any]]] = [
    event for line in ROWS.read_text("utf-8").splitlines() for event in json.loads(json.loads(line)["events"])
]


def side(path: Path, these: list[dict[str, Any]]) -> FileSide:
    """A file with one batch of these events."""
    path.write_text(json.dumps({"events": these}), encoding="utf-8")
    return FileSide(sources([str(path)]))


@pytest.fixture
def different(tmp_path: Path) -> Callable[..., ReconcileOutcome]:
    """Compares the samples with events that differ in every way."""

    def outcome(**options: Any) -> ReconcileOutcome:
        sent = [*EVENTS[:-1], EVENTS[-1] | {"event_type": None}]
        ingested = sent[40:-1]
        ingested[3] = ingested[3] | {"time": 1782900001}
        ingested += ingested[5:9] + ingested[7:8]
        ingested += [{"id": "new\n", "event_type": "users.new.Type", "time": "x"}, {"event_type": "users.new.Type"}]
        return run(
            ReconcileRequest(
                side(tmp_path / "sent.json", sent),
                side(tmp_path / "ingested.json", ingested),
                show=2,
                scope=TimeScope(settled=1782921600),
                **options,
            )
        )

    return outcome


@pytest.mark.parametrize("width", WIDTHS)
def test_tables(width: str, different: Callable[..., ReconcileOutcome], stored: Callable[[str, str], None]) -> None:
    """Every kind of difference, at common widths, and off a terminal, where the width does not matter."""
    screen = screen_of(WIDTHS[width])
    render(different(), "table", screen.terminal)
    stored(f"reconcile.{width}", screen.out + screen.err)
    assert all(cell_len(line) <= (WIDTHS[width] or 10_000) for line in screen.lines)


def test_verbose_and_quiet(different: Callable[..., ReconcileOutcome], tmp_path: Path, screen: Screen) -> None:
    """-v shows every type, -q only the result; written files and spilled bytes are reported."""
    verbose, quiet = screen_of(verbose=True), screen_of(quiet=True)
    render(different(), "table", verbose.terminal)
    outcome = different(limit=0, resend=tmp_path / "resend.jsonl")
    for each in (quiet, screen):
        render(outcome, "table", each.terminal)
    assert ("more type" in verbose.out, "more type" in quiet.out, quiet.err) == (False, True, "")
    assert f"40 missing events in 1 payload written to {tmp_path / 'resend.jsonl'}, for `tdcur send" in screen.err
    assert "6.9 kB of fingerprints were kept in temporary files (memory limit: 0 B)" in screen.err


@pytest.mark.parametrize(
    ("sent", "ingested", "verdict"),
    [
        (EVENTS, EVENTS, "1 row sent, 1 row ingested: all 130 sent event ids arrived."),
        (EVENTS[:1], EVENTS[:2], "The sent event id arrived, but 1 unexpected."),
        (EVENTS[:2], EVENTS[:1], "Of 2 sent event ids, 1 is missing."),
        ([], [], "Nothing to compare: no events were sent."),
        ([], EVENTS[:1], "Nothing to compare: no events were sent, but 1 unexpected."),
        ([{"time": 1}], [], "1 event sent without an id cannot be verified."),
        ([7], [], "Nothing to compare: no sent event could be read."),
        ([7, *EVENTS], EVENTS, "All 130 sent event ids arrived, but not everything that was sent could be read."),
        (EVENTS, [*EVENTS, 7], "All 130 sent event ids arrived, but not everything that was ingested could be read."),
        (EVENTS, None, "Of 130 sent event ids, 130 are missing."),
        ([], None, "Nothing to compare: no events were sent, but there is 1 error."),
    ],
)
def test_the_verdict_is_the_last_line(
    sent: list[Any], ingested: list[Any] | None, verdict: str, tmp_path: Path, screen: Screen
) -> None:
    """It says why the exit code is not 0. None is an empty file."""
    sides = side(tmp_path / "sent", sent), side(tmp_path / "ingested", ingested or [])
    if ingested is None:
        (tmp_path / "ingested").write_bytes(b"")
    outcome = run(ReconcileRequest(*sides, fail_on=failing(["unexpected"])))
    render(outcome, "table", screen.terminal)
    assert screen.lines[-2] == verdict
    assert (outcome.exit_code == 0) == (verdict.endswith(("arrived.", "were sent.")))
