"""The files that other projects use: the GitHub Action, the pre-commit hook, the Dockerfile."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, Any] = {step["name"]: step for step in ACTION["runs"]["steps"]}

GOOD = '{"events": []}'
BAD = '{"events": [{"event_type": "users.behaviors.Uninstall", "id": 7}]}'


def run_step(name: str, inputs: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script of a step as the runner of GitHub does, with the inputs as the runner resolves them."""
    step = STEPS[name]
    values = {f"inputs.{key}": str(value.get("default", "")) for key, value in ACTION["inputs"].items()}
    values |= {f"inputs.{key}": value for key, value in inputs.items()}
    values |= {"runner.temp": str(folder / "temporary files"), "github.action_path": str(folder / "the action")}
    environment = {
        key: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: values[match[1]], text) for key, text in step["env"].items()
    }
    script = folder / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder,
        env=os.environ
        | environment
        | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        | {"GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "GITHUB_ACTIONS": "true"}
        | {"GITHUB_PATH": str(folder / "path")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    (tmp_path / "good payloads").mkdir()
    (tmp_path / "good payloads" / "a.json").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.json").write_text(BAD, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "arguments", "code", "annotated"),
    [
        ("good payloads/\n", "", 0, False),
        ("good payloads/\nbad.json", "", 1, True),
        ("bad.json", "--ignore\nTDC1", 0, False),
        ("$(touch injected)", "", 6, False),
        ("\n", "", 2, False),
    ],
)
def test_the_action_validates(payloads: Path, paths: str, arguments: str, code: int, annotated: bool) -> None:
    ended = run_step("Validate", {"paths": paths, "arguments": arguments}, payloads)
    assert ended.returncode == code, ended.stderr
    assert ("::error file=bad.json" in ended.stdout) is annotated
    assert not (payloads / "injected").exists()


@pytest.mark.parametrize("path", ["good payloads", "bad.json"])
def test_the_action_writes_sarif_and_a_summary(payloads: Path, path: str) -> None:
    inputs = {"paths": path, "sarif-file": "problems.sarif"}
    assert run_step("Write the SARIF report", inputs, payloads).returncode == 0
    assert '"version":"2.1.0"' in (payloads / "problems.sarif").read_text(encoding="utf-8").replace(" ", "")
    assert run_step("Count the events", inputs, payloads).returncode == 0
    assert "| event type |" in (payloads / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("step", ["Write the SARIF report", "Count the events"])
def test_the_action_tells_what_is_not_a_problem_of_the_data(payloads: Path, step: str) -> None:
    ended = run_step(step, {"paths": "nowhere", "sarif-file": "problems.sarif"}, payloads)
    assert ended.returncode == 6
    assert re.fullmatch(r"::error::tdcur: .* \(exit code 6 of tdcur \w+\)\n", ended.stdout)
    assert "nowhere: no such file or folder" in ended.stderr


def test_the_action_fails_where_the_sarif_report_cannot_be_opened(payloads: Path) -> None:
    inputs = {"paths": "good payloads", "sarif-file": "nowhere/problems.sarif"}
    assert run_step("Write the SARIF report", inputs, payloads).returncode != 0


def test_the_action_puts_only_tdcur_on_the_path(payloads: Path) -> None:
    """With a stand-in for Python, which is asked for an environment and then for pip."""
    python = payloads / "a python"
    python.write_text(
        '#!/bin/sh\necho "$@" >> said\nmkdir -p "${3:-}/bin" && cp "$0" "$3/bin/python"\n', encoding="utf-8"
    )
    python.chmod(0o755)
    ended = run_step("Install tdcur", {"python": str(python)}, payloads)
    assert ended.returncode == 0, ended.stderr
    folder = Path((payloads / "path").read_text(encoding="utf-8").strip())
    assert [each.name for each in folder.iterdir()] == ["tdcur"]
    assert (folder / "tdcur").readlink() == payloads / "temporary files" / "tdcur" / "bin" / "tdcur"
    created, installed = (payloads / "said").read_text(encoding="utf-8").splitlines()
    assert created == f"-m venv {payloads / 'temporary files' / 'tdcur'}"
    assert installed.endswith(str(payloads / "the action"))


def test_the_action_uses_no_input_in_a_script() -> None:
    """What a caller passes is data: as a part of the script it would be run."""
    assert not [name for name, step in STEPS.items() if "${{" in step["run"]]


def test_the_hook_runs_the_command() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"].split() == ["tdcur", "validate"]
    assert hook["language"] == "python"
    names = ["payloads/a.json", "a b.jsonl", "a.ndjson.gz", "a.json.zst", "a.md", "a.json.md"]
    assert [name for name in names if re.search(hook["files"], name)] == names[:4]


def test_the_image_is_built_from_the_wheel_and_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)", dockerfile, re.MULTILINE) == ["1000"]
    copied = {each for path in re.findall(r"^COPY ([^-].*) \S+$", dockerfile, re.MULTILINE) for each in path.split()}
    # The tests also run without the source of the package next to them, against the installed wheel.
    assert {each for each in copied if not (ROOT / each).exists()} <= {"td_currents_cli", "LICENSE"}
