"""`tdcur report` as a user runs it, and the other commands' pages: the same numbers everywhere."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from td_currents_cli import count, reconcile, validate
from td_currents_cli.count import CountRequest
from td_currents_cli.outcome import Outcome
from td_currents_cli.read import sources
from td_currents_cli.read.options import INGESTED
from td_currents_cli.reconcile import ReconcileRequest
from td_currents_cli.reconcile.file_side import FileSide
from td_currents_cli.validate import ValidateRequest
from td_currents_cli.validate.command import Selection
from tests.command import PLAIN, tdcur_text

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
PAYLOADS: Final = SAMPLES / "payloads"
ROWS: Final = SAMPLES / "rows" / "rows.jsonl"


def run(*arguments: object, code: int = 0, stdin: str = "") -> str:
    """Standard output of a command that ends with a code."""
    ended = tdcur_text(*arguments, env=PLAIN, stdin=stdin)
    assert ended.returncode == code, ended.stderr
    return ended.stdout


def as_json(outcome: Outcome) -> dict[str, Any]:
    """What --format json prints."""
    document: dict[str, Any] = json.loads(json.dumps(outcome.as_dict(), default=str))
    return document


def figure(page: str, name: str) -> int:
    """A key figure of a page."""
    found = re.search(rf"<dt>{name}</dt><dd>([\d,]+)</dd>", page)
    assert found, name
    return int(found[1].replace(",", ""))


def cell(page: str, row: str, column: int = 1) -> str:
    """A cell in the first row of a page whose first cell begins with this word."""
    lines = (line for line in page.splitlines() if line.startswith("<tr"))
    rows = ([re.sub("<.*?>", "", f"<{cell}") for cell in re.split("<(?=t[hd])", line)[1:]] for line in lines)
    return next(cells[column] for cells in rows if cells[0].split(" ")[0] == row)


def test_terminal_page_and_json_tell_the_same_numbers(tmp_path: Path) -> None:
    page_file, kept = tmp_path / "report.html", tmp_path / "kept.jsonl"
    events = [event for row in ROWS.read_text("utf-8").splitlines() for event in json.loads(json.loads(row)["events"])]
    kept.write_text(json.dumps({"events": events[30:]}), encoding="utf-8")
    options = ("--ingested", kept, "-o", page_file)
    report: dict[str, Any] = json.loads(run("report", PAYLOADS, *options, "--format", "json", code=1))
    page = page_file.read_text(encoding="utf-8")
    by_type, by_day = (
        as_json(count.run(CountRequest(sources([str(PAYLOADS)]), by=(by,)))) for by in ("event_type", "day")
    )
    checked = as_json(validate.run(ValidateRequest(sources=sources([str(PAYLOADS)]), selection=Selection.of((), ()))))
    sent, ingested = (FileSide(sources([str(path)]), INGESTED) for path in (PAYLOADS, kept))
    compared = as_json(reconcile.run(ReconcileRequest(sent, ingested)))
    assert (report["summary"]["output"], report["summary"]["bytes"]) == (str(page_file), page_file.stat().st_size)
    counts = report["counts"]
    assert counts["event_type"]["counts"] == by_type["counts"][:30]
    assert counts["day"]["counts"] == by_day["counts"]
    del report["summary"]["validate"]["seconds"], checked["summary"]["seconds"]
    del report["summary"]["validate"]["shown"], checked["summary"]["shown"]
    assert report["summary"]["validate"] == checked["summary"]
    assert report["summary"]["reconcile"] == compared["summary"]
    figures = {
        "events": by_type["summary"]["total"],
        "event types": by_type["summary"]["types"],
        "files": checked["summary"]["files"],
        "warnings": checked["summary"]["warnings"],
        "missing": compared["summary"]["missing"],
    }
    assert {name: figure(page, name) for name in figures} == figures
    for group in (*by_type["counts"][:30], *by_day["counts"]):
        assert cell(page, group.get("event_type") or group["day"]) == f"{group['count']:,}"
    for code, number in checked["summary"]["by_code"].items():
        assert cell(page, code, 2) == f"{number:,}"
    # The table for people, of the same events.
    table = run("count", PAYLOADS)
    assert re.search(rf"users.behaviors.CustomEvent +{cell(page, 'users.behaviors.CustomEvent')} ", table)
    verdict = run("reconcile", "--sent", PAYLOADS, *options[:2], code=1).splitlines()[-1]
    assert verdict in page


def test_what_it_prints_and_where_it_writes(tmp_path: Path) -> None:
    """A pipe is read once; the page goes to standard output or a file, which is not replaced if the run fails."""
    payload = (PAYLOADS / "purchases.json").read_text(encoding="utf-8")
    page = run("report", "-o", "-", "--title", "Week <1>", stdin=payload)
    assert page.startswith("<!DOCTYPE html>")
    assert (figure(page, "events"), "<bdi>Week &lt;1&gt;</bdi>" in page, "&lt;stdin&gt;" in page) == (10, True, True)
    output = tmp_path / "report.html"
    ended = tdcur_text("report", PAYLOADS / "purchases.json", "-o", output, env=PLAIN)
    assert re.fullmatch(rf"10 events checked: .*\.\nreport written to {re.escape(str(output))}\n", ended.stderr)
    before = output.read_bytes()
    run("report", tmp_path / "none.json", "-o", output, code=6)
    assert output.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sent", "a.json"], "--sent needs --ingested"),
        (["a.json", "-o", "a.json"], "--output a.json: this file is an input"),
        (["a.json", "-o", "-", "--format", "json"], "--output - and --format json cannot be used together"),
        (["a.json", "--timezone", "Mars"], "Mars"),
        (["a.json", "--select", "X"], "--select: no rule starts with `X`"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"events": []}', encoding="utf-8")
    ended = tdcur_text("report", *arguments, env=PLAIN, cwd=tmp_path)
    assert (ended.returncode, message in ended.stderr) == (2, True), ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
