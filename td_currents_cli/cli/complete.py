"""Completion in shells: the values that options and arguments can have, and the scripts that ask for them."""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from enum import StrEnum

import typer

from td_currents_cli.cli.groups import GROUPS, TOPICS

# ruff: noqa: PLC0415 -- only what is completed is imported


class Shell(StrEnum):
    """Shells with completion; `auto` is the one that runs `tdcur`."""

    auto = "auto"
    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def event_types(incomplete: str) -> list[str]:
    """Event types, and globs over them: `users.messages.email.*`, `*.email.*`, `*.Open`, each also after `!`."""
    from td_currents_cli.catalog import load

    names = list(load().events)
    parents = [name.rpartition(".")[0] for name in names]
    globs = [
        *(f"{parent}.*" for parent in parents),
        *(f"*.{parent.rpartition('.')[2]}.*" for parent in parents if "." in parent),
        *(f"*.{name.rpartition('.')[2]}" for name in names),
    ]
    mark = "!" if incomplete.startswith("!") else ""
    return [mark + each for each in dict.fromkeys([*names, *globs])]


def by_names(incomplete: str) -> Iterator[str]:
    """Names to count by, the last of which is incomplete: fields only after its first character."""
    from td_currents_cli.catalog import load
    from td_currents_cli.count.dimensions import BY_NAME

    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    fields = [field.name for event in load().events.values() for field in event.fields] if last else []
    yield from (before + comma + name for name in dict.fromkeys([*BY_NAME, *fields]) if name not in given)


def rule_codes(incomplete: str) -> Iterator[tuple[str, str]]:
    """Codes and families of rules; of several, the last is incomplete."""
    from td_currents_cli.validate.list_rules import Family
    from td_currents_cli.validate.rules import RULES

    before, comma, _ = incomplete.rpartition(",")
    for name, about in ((family.name, family.value) for family in Family):
        yield before + comma + name, about
    for code, rule in RULES.items():
        yield before + comma + code, rule.name


def profiles() -> list[str]:
    """Profiles of the settings files; none if these cannot be read."""
    from pathlib import Path

    from td_currents_cli.config import load, user_file
    from td_currents_cli.errors import TdcurError

    with suppress(TdcurError, OSError):
        # zsh evaluates what it is offered, and the file may come from somebody else: plain names only.
        return [name for name in load(Path.cwd(), user_file()).profiles if re.fullmatch(r"[A-Za-z0-9._-]+", name)]
    return []


def topics() -> Iterator[tuple[str, str]]:
    """Commands and topics of `tdcur help`."""
    for group in GROUPS.values():
        yield from group.items()
    yield from TOPICS.items()


def run(context: typer.Context, parameter: typer.CallbackParam, shell: Shell) -> None:
    """Print or install the script of a shell, as the option says.

    Raises:
        UsageError: the shell that runs `tdcur` is none of ours.
    """
    from typer.completion import install_callback, show_callback

    from td_currents_cli.errors import UsageError

    callback = show_callback if parameter.name == "show_completion" else install_callback
    with suppress(typer.Exit), redirect_stderr(io.StringIO()):
        callback(context, parameter, True if shell is Shell.auto else shell.value)  # exits
    raise UsageError("the current shell has no completion, or cannot be detected", hint="Name it: bash, zsh, or fish.")
