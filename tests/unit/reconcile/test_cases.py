"""Case files in tests/cases/reconcile: what was sent, what arrived, and the expected result.

A line of either side is JSON, or a string if it matters how it is written.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from td_currents_cli.events.filter import Filter
from td_currents_cli.read import sources
from td_currents_cli.read.options import DEFAULT, INGESTED, ReadOptions
from td_currents_cli.reconcile import DiffKind, ReconcileOutcome, ReconcileRequest, TimeScope, failing, run
from td_currents_cli.reconcile.file_side import FileSide

CASES: Final = sorted((Path(__file__).parents[2] / "cases" / "reconcile").iterdir())


def side(path: Path, lines: list[Any], options: ReadOptions = DEFAULT) -> FileSide:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return FileSide(sources([str(path)]), options)


def reconciled(case: dict[str, Any], folder: Path) -> ReconcileOutcome:
    options = case.get("options", {})
    wanted = Filter.of(types=None, since=options.get("since"), until=options.get("until"), now=0)
    return run(
        ReconcileRequest(
            side(folder / "sent", case["sent"]),
            side(folder / "ingested", case["ingested"], INGESTED),
            scope=TimeScope(wanted, options.get("settled")),
            show=9,
            fail_on=failing(options.get("fail_on", ())),
        )
    )


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case(path: Path, tmp_path: Path) -> None:
    """Every kind of difference that is not expected is 0; exit code, examples and groups if given."""
    case = json.loads(path.read_text(encoding="utf-8"))
    expected: dict[str, Any] = case["expected"]
    outcome = reconciled(case, tmp_path)
    document = json.loads(json.dumps(outcome.as_dict()))
    summary = document["summary"]
    assert outcome.balanced
    for name in ("sent", "ingested", "matched", *DiffKind, "problems"):
        if name != "problems" or "problems" in expected:
            assert summary[name] == expected.get(name, 0), name
    assert document["exit_code"] == expected["exit_code"]
    assert summary["duplicated_times"] == expected.get("duplicated_times", {})
    for name in ("by_type", "streaming_rows"):
        assert summary[name] == expected.get(name, summary[name])
    for name, figures in expected.get("sides", {}).items():
        assert {each: summary["sides"][name][each] for each in figures} == figures
    for kind, ids in expected.get("examples", {}).items():
        assert document["examples"][kind] == ids
    if "differences" in expected:
        assert [list(each.values()) for each in document["differences"]] == expected["differences"]
