"""Options that have no meaning beside others are refused, also where they repeat a default, without a query."""

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from td_currents_cli.cli.app import app
from td_currents_cli.cli.options import FILE_OPTIONS
from td_currents_cli.cli.parse import INTO_OPTIONS

INTO = ["parse", "td://braze/raw", "--into", "td://braze/flat"]
VALUES = {
    "--output": "-o x",
    "--split-by": "--split-by event_type",
    "--out-dir": "--out-dir x",
    "--rejects": "--rejects x",
    "--from": "--from auto",
    "--no-header": "--no-header",
    "--max-document-size": "--max-document-size 1MB",
    "--max-rejects": "--max-rejects 1",
    "--to": "--to jsonl",
    "--names": "--names short",
    "--nested": "--nested json",
    "--fields": "--fields id",
    "--mask": "--mask keep",
    "--mask-key-file": "--mask-key-file x",
    "--jobs": "--jobs 1",
    "--safe-csv": "--safe-csv",
}


@pytest.mark.parametrize("option", VALUES)
def test_into_takes_events_as_they_are(option: str) -> None:
    """What is inserted must not look as if it were masked."""
    run = CliRunner().invoke(app, [*INTO, *VALUES[option].split()])
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {option} cannot be used with --into\nhint: ")


def test_all_options_are_told_apart() -> None:
    """A new option of `parse` has a meaning beside --into, or has none."""
    command: object = get_command(app)
    params = command.get_command(None, "parse").params  # type: ignore[attr-defined]
    options = {max(each.opts, key=len) for each in params} - {"context", "paths"}
    assert options == VALUES.keys() | INTO_OPTIONS


@pytest.mark.parametrize("command", ["count", "parse"])
@pytest.mark.parametrize("option", sorted(FILE_OPTIONS))
def test_tables_have_one_form(command: str, option: str) -> None:
    """What tells how files are to be read is not ignored."""
    run = CliRunner().invoke(app, [command, "td://braze/raw", *VALUES[option].split()])
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {option} cannot be used with a table (td://…)\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "send x --url http://127.0.0.1:1/ --verify-within 5s",
            "--verify-within cannot be used with `send` without --verify",
        ),
        (
            "send x --url http://127.0.0.1:1/ --api-key-file x",
            "--api-key-file cannot be used with `send` without --verify",
        ),
        ("verify --sent x --endpoint http://x/ --ingested td://braze/raw", "--endpoint works only with --journal"),
    ],
)
def test_options_of_options(line: str, message: str) -> None:
    run = CliRunner().invoke(app, line.split())
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {message}\n")
