"""The files under tests/cases/expect and tests/cases/compare, each next to its expected result.

The input is always `sample_data/payloads/purchases.json`: 7 custom events and 3 purchases.
"""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest

from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.count.baseline import part_of
from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.read import sources

ROOT: Final = Path(__file__).parents[3]
COUNTED: Final = ROOT / "sample_data" / "payloads" / "purchases.json"
SUFFIX: Final = ".expected.json"


def cases(kind: str) -> list[Path]:
    files = sorted((ROOT / "tests" / "cases" / kind).iterdir())
    found = [file for file in files if not file.name.endswith(SUFFIX)]
    assert len(found) * 2 == len(files)
    return found


def wanted(case: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads(case.with_name(case.name + SUFFIX).read_text(encoding="utf-8"))
    return expected


def count(**options: Any) -> CountOutcome:
    return run(CountRequest(sources([str(COUNTED)]), **options))


@pytest.mark.parametrize("case", cases("expect"), ids=lambda case: case.name)
def test_expected_counts(case: Path) -> None:
    """Each group of the file is checked; failed ones are listed and make the run exit with 1."""
    expected = wanted(case)
    options = {"by": tuple(expected.get("by", ("event_type",))), "expect": case}
    if "error" in expected:
        with pytest.raises(UsageError, match=expected["error"].replace("|", r"\|")) as caught:
            count(**options)
        assert str(case) in caught.value.message
        return
    outcome = count(**options)
    assert outcome.checks is not None
    failed = [[*each.key, each.expected, each.count, each.miss] for each in outcome.checks.failed]
    assert (len(outcome.checks.checks), failed) == (expected["checks"], expected["failed"])
    assert outcome.exit_code == expected["exit_code"]
    told: Any = outcome.as_dict()["expectations"]
    assert (told["met"] + told["failed"], told["failed"]) == (expected["checks"], len(expected["failed"]))


@pytest.mark.parametrize("case", cases("compare"), ids=lambda case: case.name)
def test_changes(case: Path) -> None:
    """Changed groups are listed; those that dropped too much make the run exit with 1."""
    expected = wanted(case)
    limit = expected["fail_on_drop"]
    options = {"compare": case, "fail_on_drop": None if limit is None else part_of(limit)}
    if "error" in expected:
        with pytest.raises(UsageError, match=expected["error"]):
            count(**options)
        return
    outcome = count(**options)
    assert outcome.changes is not None
    assert [[*each.key, each.before, each.now] for each in outcome.changes.changed] == expected["changed"]
    assert [each.key[0] for each in outcome.changes.dropped] == expected["dropped"]
    assert outcome.exit_code == expected["exit_code"]
    told: Any = outcome.as_dict()["comparison"]
    assert (told["changed"], told["dropped"]) == (len(expected["changed"]), len(expected["dropped"]))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        count(expect=tmp_path / "nothing.json")
    (tmp_path / "latin").write_bytes(b"event_type,count\ncaf\xe9,1\n")
    with pytest.raises(InputError, match="UTF-8"):
        count(compare=tmp_path / "latin")


def test_expectations_apply_to_all_groups(tmp_path: Path) -> None:
    """Hidden groups are included, types without events from the catalog are not."""
    file = tmp_path / "expect.json"
    file.write_text('{"users.behaviors.Purchase": 3, "*": ">=1"}', encoding="utf-8")
    assert count(expect=file, top=1, all_types=True).exit_code == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        *(("30%", 0.3), (" 2.5 % ", 0.025), ("100%", 1), ("0%", 0)),
        *((text, None) for text in ("30", "0.3", "-30%", "101%", "%", "", "abc")),
    ],
)
def test_percentages(text: str, part: float | None) -> None:
    with nullcontext() if part is not None else pytest.raises(UsageError, match="--fail-on-drop"):
        assert part_of(text) == pytest.approx(part)
