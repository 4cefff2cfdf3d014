"""Cases are files: a payload file under tests/cases/, and beside it what `tdcur validate` has to find in it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli import count
from td_currents_cli.errors import ExitCode
from td_currents_cli.read import sources

CASES = Path(__file__).parents[1] / "cases"
EXPECTED = ".expected.json"


def case_files(kind: str) -> list[Path]:
    """The payload files of a folder."""
    return sorted(path for path in (CASES / kind).iterdir() if not path.name.endswith(EXPECTED))


def validate(kind: str) -> dict[str, list[dict[str, Any]]]:
    """The findings in each file of a folder, by its name."""
    command = [sys.executable, "-m", "td_currents_cli", "validate", "--format", "json", *map(str, case_files(kind))]
    result = subprocess.run(command, capture_output=True, check=False)
    findings: dict[str, list[dict[str, Any]]] = {path.name: [] for path in case_files(kind)}
    for problem in json.loads(result.stdout)["problems"]:
        findings[Path(problem["source"]).name].append(problem)
    return findings


def expected(path: Path) -> Any:
    """What is to be found in a case file."""
    return json.loads(path.with_name(path.name + EXPECTED).read_text("utf-8"))


@pytest.fixture(scope="module")
def bad() -> dict[str, list[dict[str, Any]]]:
    """The findings in the bad files."""
    return validate("bad")


@pytest.fixture(scope="module")
def good() -> dict[str, list[dict[str, Any]]]:
    """The findings in the good files: remarks at most."""
    return validate("good")


@pytest.mark.parametrize("path", case_files("bad"), ids=lambda path: path.name)
def test_what_is_wrong_is_found_where_it_is(path: Path, bad: dict[str, list[dict[str, Any]]]) -> None:
    """Code, severity, line, column and pointer of every finding, in their order."""
    found = [
        {name: problem[name] for name in ("code", "severity", "line", "column", "pointer")}
        for problem in bad[path.name]
    ]
    assert found == expected(path)
    assert found, "a bad case has findings"


@pytest.mark.parametrize("path", case_files("good"), ids=lambda path: path.name)
def test_what_people_have_is_read(path: Path, good: dict[str, list[dict[str, Any]]]) -> None:
    """Every arrangement: as many rows and events as it holds, all of them used, and no error."""
    outcome = count.run(count.CountRequest(sources([str(path)])))
    assert {
        "rows": outcome.balance.rows_read,
        "events": outcome.balance.events_out,
        "problems": [problem["code"] for problem in good[path.name]],
    } == expected(path)
    assert "error" not in {problem["severity"] for problem in good[path.name]}
    assert outcome.balance.events_read == outcome.balance.events_out
    assert outcome.exit_code is ExitCode.OK
