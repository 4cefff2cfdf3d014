"""Options that have no meaning beside others are refused, also where they repeat a default, without a query."""

import os
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from td_currents_cli.cli.app import app
from td_currents_cli.cli.insert import INCREMENTAL_OPTIONS, INTO_OPTIONS
from td_currents_cli.cli.options import FILE_OPTIONS, MAX_DEFAULT_JOBS, worker_count
from td_currents_cli.cli.parameters import shown_names

GROUP: Any = get_command(app)
OPTIONS = {shown_names(each)[-1]: each for each in GROUP.get_command(None, "parse").params if each.opts[0][0] == "-"}
"""Of `parse`, by their long names."""


def refused(arguments: list[str]) -> str:
    """The message of a command that is wrong usage."""
    run = CliRunner().invoke(app, arguments)
    assert (run.exit_code, run.stdout) == (2, "")
    return run.stderr


def given(option: str) -> list[str]:
    """An option with a value, which may be its default."""
    kind = OPTIONS[option]
    return [option] if kind.is_flag else [option, next(iter(getattr(kind.type, "choices", "1")))]


@pytest.mark.parametrize("option", sorted(OPTIONS.keys() - INTO_OPTIONS - INCREMENTAL_OPTIONS))
def test_into_takes_events_as_they_are(option: str) -> None:
    """What is inserted must not look as if it were masked; this holds for each new option, too."""
    message = refused(["parse", "td://braze/raw", "--into", "td://braze/flat", *given(option)])
    assert message.startswith(f"error: {option} cannot be used with --into\nhint: ")


@pytest.mark.parametrize("option", sorted(OPTIONS.keys() - INCREMENTAL_OPTIONS))
def test_incremental_takes_what_came(option: str) -> None:
    """It goes by receive time, drops duplicates by itself, and is repeated with the same options."""
    line = ["parse", "td://braze/raw", "--into", "td://braze/flat", "--incremental"]
    message = refused([*line, *given(option)])
    assert message.startswith(f"error: {option} cannot be used with --incremental\nhint: ")


@pytest.mark.parametrize("option", sorted(INCREMENTAL_OPTIONS - INTO_OPTIONS - {"--incremental"}))
def test_options_of_incremental(option: str) -> None:
    message = refused(["parse", "td://braze/raw", "--into", "td://braze/flat", *given(option)])
    assert message.startswith(f"error: {option} works only with --incremental\n")


@pytest.mark.parametrize("command", ["count", "parse"])
@pytest.mark.parametrize("option", sorted(FILE_OPTIONS))
def test_tables_have_one_form(command: str, option: str) -> None:
    """What tells how files are to be read is not ignored."""
    message = refused([command, "td://braze/raw", *given(option)])
    assert message.startswith(f"error: {option} cannot be used with a table (td://…)\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("send x --url http://x/ --verify-within 5s", "--verify-within cannot be used with `send` without --verify"),
        ("send x --url http://x/ --api-key-file x", "--api-key-file cannot be used with `send` without --verify"),
        ("parse td://braze/raw --incremental", "--incremental needs a table to insert into"),
        (
            "parse td://braze/raw --incremental --into td://braze/flat --from-beginning --received-since -1d",
            "--received-since cannot be used with --from-beginning",
        ),
        ("verify --sent x --endpoint http://x/ --ingested td://braze/raw", "--endpoint works only with --from-journal"),
    ],
)
def test_options_of_options(line: str, message: str) -> None:
    assert refused(line.split()).startswith(f"error: {message}\n")


def test_as_many_jobs_as_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a number is asked for; many cores are more than one reader can feed."""
    assert worker_count(3) == 3
    assert 1 <= worker_count(None) <= MAX_DEFAULT_JOBS
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert worker_count(None) == MAX_DEFAULT_JOBS
    assert worker_count(64) == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert worker_count(None) == 1
