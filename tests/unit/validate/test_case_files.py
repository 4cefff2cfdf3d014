"""Cases are files: a payload file under tests/cases/, and next to it what `tdcur validate` has to find in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli import count
from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Severity
from td_currents_cli.read import sources
from td_currents_cli.validate import ValidateOutcome, ValidateRequest, run
from td_currents_cli.validate.command import Selection

CASES = Path(__file__).parents[2] / "cases"
EXPECTED = ".expected.json"


def case_files(kind: str) -> list[Path]:
    return sorted(path for path in (CASES / kind).iterdir() if not path.name.endswith(EXPECTED))


def validated(path: Path) -> ValidateOutcome:
    """What validate finds in a case file."""
    return run(ValidateRequest(sources=sources([str(path)]), selection=Selection.of((), ())))


def expected(path: Path) -> Any:
    return json.loads(path.with_name(path.name + EXPECTED).read_text("utf-8"))


@pytest.mark.parametrize("path", case_files("bad"), ids=lambda path: path.name)
def test_what_is_wrong_is_found_where_it_is(path: Path) -> None:
    names = ("code", "severity", "line", "column", "pointer")
    found = [{name: problem.as_dict()[name] for name in names} for problem in validated(path).problems.kept]
    assert found == expected(path)


@pytest.mark.parametrize("path", case_files("good"), ids=lambda path: path.name)
def test_what_people_have_is_read(path: Path) -> None:
    outcome = count.run(count.CountRequest(sources([str(path)])))
    checked = validated(path)
    problems = checked.problems.kept
    assert {
        "rows": outcome.balance.rows_read,
        "events": outcome.balance.events_out,
        "problems": [problem.code for problem in problems],
    } == expected(path)
    assert Severity.ERROR not in {problem.severity for problem in problems}
    assert outcome.balance.events_read == outcome.balance.events_out == checked.balance.events_read
    assert outcome.exit_code is ExitCode.OK
