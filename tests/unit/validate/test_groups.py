"""Examples of equal problems: a run keeps a few of them, and counts all."""

import json
from collections import Counter
from pathlib import Path

import pytest

from td_currents_cli.model import Code
from td_currents_cli.read import sources
from td_currents_cli.validate import ValidateRequest, run
from td_currents_cli.validate.command import Selection
from td_currents_cli.validate.groups import DUPLICATE_IDS, ProblemGroup

TYPE = "users.behaviors.Uninstall"
BATCHES = 200


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    """Many batches of one event with an invalid field; all but the first with an id that came before."""
    user = {"user_id": "b-1", "external_user_id": "u-1"}
    event = {"event_type": TYPE, "id": "e-1", "time": 1782900000, "user": user, "properties": {"app_id": 7}}
    path = tmp_path / "payloads.jsonl"
    path.write_text(f"{json.dumps({'events': [event]})}\n" * BATCHES, encoding="utf-8")
    return path


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_keeps_examples_and_counts_all(payloads: Path, jobs: int) -> None:
    """Whatever the limit is; the examples of duplicate ids say where the id came first."""
    outcome = run(
        ValidateRequest(sources=sources([str(payloads)]), selection=Selection.of([], []), keep=1, examples=3, jobs=jobs)
    )
    assert outcome.by_group == {ProblemGroup(Code.FIELD_TYPE, TYPE): BATCHES, DUPLICATE_IDS: BATCHES - 1}
    assert outcome.problems.total == 2 * BATCHES - 1
    kept = outcome.problems.kept
    assert Counter(problem.code for problem in kept) == {Code.FIELD_TYPE: 3, Code.REPEATED_ID: 3}
    assert {problem.location.line for problem in kept} == {1, 2, 3, 4}
    assert all("first at" in problem.message for problem in kept if problem.code is Code.REPEATED_ID)
    assert all(problem.hint for problem in kept)


def test_without_examples_all_are_kept(payloads: Path) -> None:
    outcome = run(ValidateRequest(sources=sources([str(payloads)]), selection=Selection.of([], [])))
    assert len(outcome.problems.kept) == outcome.problems.total == outcome.by_group.total()
