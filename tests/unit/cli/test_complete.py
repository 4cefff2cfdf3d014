"""Completion in shells, by the protocol that their scripts speak, and in the shells that are installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from td_currents_cli import catalog
from td_currents_cli.cli.app import app
from td_currents_cli.cli.groups import COMMANDS
from td_currents_cli.validate.rules import RULES
from tests.command import PLAIN, TDCUR

COMMON = {"--color", "--quiet", "--verbose", "--help"}
SHELLS = ("bash", "zsh", "fish")


def asked(shell: str, line: str) -> str:
    """What the script of a shell gets for a line whose last word is to be completed."""
    environment = {"_TDCUR_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    environment |= {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_TYPER_COMPLETE_ARGS": line}
    run = CliRunner().invoke(app, [], prog_name="tdcur", env=environment)
    assert (run.exit_code, run.stderr) == (0, "")
    return run.stdout


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("", set(COMMANDS)),
        ("re", {"reconcile", "report"}),
        ("nonsense", set()),
        ("count --type users.behaviors.Pur", {"users.behaviors.Purchase"}),
        (
            "count --type users.messages.webhook.",
            {"users.messages.webhook." + end for end in ("*", "Abort", "Failure", "Retry", "Send")},
        ),
        ("count --type *.ema", {"*.email.*"}),
        ("count --type '*.ema", {"*.email.*"}),
        ("show --type !*.Uninst", {"!*.Uninstall"}),
        ("events users.behaviors.Loc", {"users.behaviors.Location"}),
        ("count --by ", {"event_type", "category", "channel", "hour", "day", "week", "month", "source"}),
        ("count --by channel,day,mon", {"channel,day,month"}),
        ("sql count td://a/b --by campaign_n", {"campaign_name"}),
        ("rules TDC4", {"TDC4", "TDC401"}),
        ("validate --select TDC101,TDC4", {"TDC101,TDC4", "TDC101,TDC401"}),
        (
            "validate --ignore TDC301,",
            {f"TDC301,{code}" for code in (*RULES, *(f"TDC{number}" for number in range(5)))},
        ),
        ("help e", {"events", "environment", "exit-codes"}),
        ("count --format j", {"json", "jsonl"}),
        ("count --li", {"--limit"}),
        # Names of earlier versions work, but are not offered.
        ("count --to", set()),
        ("reconcile --sh", set()),
        ("demo -", {"-h", "--help", "-q", "--quiet", "-v", "--verbose", "--color"}),
        (
            "generate --",
            {
                "--events",
                "--seed",
                "--type",
                "--shape",
                "--start",
                "--output",
                "--catalog",
                "--profile",
                "--progress",
                *COMMON,
            },
        ),
        # Files, which are left to the shell.
        ("count ", set()),
        ("reconcile --sent ", set()),
        ("reconcile --sent a ", set()),
        ("--show-completion z", {"zsh"}),
    ],
)
def test_what_is_offered(line: str, offered: set[str]) -> None:
    assert set(asked("bash", f"tdcur {line}").split()) == offered


def test_every_event_type_is_offered() -> None:
    assert set(catalog.load().events) < set(asked("bash", "tdcur count --type ").split())


def test_profiles_are_those_of_the_settings_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zsh evaluates what it gets: a project of somebody else must not run anything."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings = tmp_path / "tdcur.toml"
    settings.write_text("[profiles.staging]\n[profiles.'\\$(touch x)']\n[profiles.'a\"b']\n")
    assert asked("zsh", "tdcur send --profile ") == "_arguments '*: :((\"staging\"))'\n"
    settings.write_text("not TOML")
    assert asked("bash", "tdcur send --profile ").strip() == ""


@pytest.mark.parametrize(
    ("shell", "answer"),
    [
        ("zsh", '_arguments \'*: :(("verify":"Query a table until all events that were sent are stored."))\'\n'),
        ("fish", "verify\tQuery a table until all events that were sent are stored.\n"),
    ],
)
def test_commands_are_explained(shell: str, answer: str) -> None:
    assert asked(shell, "tdcur ver") == answer


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_any_shell_can_be_printed_and_installed(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    printed = CliRunner().invoke(app, ["--show-completion", shell], prog_name="tdcur")
    assert printed.exit_code == 0
    assert f"_TDCUR_COMPLETE=complete_{shell} " in printed.stdout
    installed = CliRunner().invoke(app, ["--install-completion", shell], prog_name="tdcur")
    assert installed.exit_code == 0
    written = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*tdcur*") if path.is_file()]
    assert [script.strip() for script in written] == [printed.stdout.strip()]


def test_a_shell_without_completion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.completion._get_shell_name", lambda: "tcsh")
    run = CliRunner().invoke(app, ["--show-completion"])
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr.endswith("or cannot be detected\nhint: Name it: bash, zsh, or fish.\n")


PROGRAMS = {
    "bash": (
        'eval "$(tdcur --show-completion)"; COMP_WORDS=(tdcur cou); COMP_CWORD=1; '
        '_tdcur_completion tdcur; echo "${COMPREPLY[@]}"'
    ),
    # Completion of zsh needs its line editor.
    "zsh": 'autoload -Uz compinit; compinit -D; eval "$(tdcur --show-completion)"; print $_comps[tdcur]',
    "fish": "tdcur --show-completion | source; complete -C 'tdcur count --type users.behaviors.Pur'",
}
RESULTS = {"bash": "count", "zsh": "_tdcur_completion", "fish": "users.behaviors.Purchase"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shells_take_their_scripts(shell: str, tmp_path: Path) -> None:
    """Without a name, `--show-completion` prints the script of the shell that runs it."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "tdcur"
    program.write_text(f'#!/bin/sh\nexec {" ".join(TDCUR)} "$@"\n')
    program.chmod(0o755)
    environment = {**PLAIN, "PATH": f"{tmp_path}:{PLAIN['PATH']}", "HOME": str(tmp_path)}
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    command = [shell, *options, "-c", PROGRAMS[shell]]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.stdout.strip(), ended.stderr) == (RESULTS[shell], "")
