"""What Typer knows of the options of a command; its types are private."""

import sys
from contextlib import redirect_stdout
from typing import Any, NoReturn

import typer

from td_currents_cli.errors import ExitCode


def shown_names(option: Any) -> list[str]:  # noqa: ANN401 -- their types
    """Return the names of an option up to its first long one; those after it are of earlier versions, and hidden."""
    names: list[str] = option.opts
    if "--help" in names:  # which Typer takes from a set
        names = sorted(names, key=len)
    return names[: [name.startswith("--") for name in names].index(True) + 1]


def choices_of(parameter: Any) -> list[str]:  # noqa: ANN401 -- as above
    return [str(each) for each in getattr(parameter.type, "choices", ())]


def print_help(context: Any) -> NoReturn:  # noqa: ANN401 -- as above
    """Print the help of a command that was given nothing to do: on standard error, because it is not data."""
    with redirect_stdout(sys.stderr):
        typer.echo(context.get_help(), color=context.color)
    raise typer.Exit(ExitCode.USAGE)
