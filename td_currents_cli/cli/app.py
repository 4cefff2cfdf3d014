"""The Typer app: `tdcur COMMAND`, each command in a module of its own that is imported when it is needed."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from td_currents_cli import __version__

if TYPE_CHECKING:
    from td_currents_cli.cli.command import CliCommand

# ruff: noqa: PLC0415 -- each function imports the one command that it returns


def _validate() -> "CliCommand":
    from td_currents_cli.cli.validate import validate

    return validate


def _rules() -> "CliCommand":
    from td_currents_cli.cli.rules import rules

    return rules


def _send() -> "CliCommand":
    from td_currents_cli.cli.send import send

    return send


def _parse() -> "CliCommand":
    from td_currents_cli.cli.parse import parse

    return parse


def _count() -> "CliCommand":
    from td_currents_cli.cli.count import count

    return count


def _reconcile() -> "CliCommand":
    from td_currents_cli.cli.reconcile import reconcile

    return reconcile


def _verify() -> "CliCommand":
    from td_currents_cli.cli.verify import verify

    return verify


def _sql() -> "CliCommand":
    from td_currents_cli.cli.sql import sql

    return sql


def _events() -> "CliCommand":
    from td_currents_cli.cli.events import events

    return events


def _generate() -> "CliCommand":
    from td_currents_cli.cli.generate import generate

    return generate


def _serve() -> "CliCommand":
    from td_currents_cli.cli.serve import serve

    return serve


def _demo() -> "CliCommand":
    from td_currents_cli.cli.demo import demo

    return demo


CONTEXT_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}

COMMANDS: Final[dict[str, Callable[[], "CliCommand"]]] = {
    "validate": _validate,
    "rules": _rules,
    "send": _send,
    "parse": _parse,
    "count": _count,
    "reconcile": _reconcile,
    "verify": _verify,
    "sql": _sql,
    "events": _events,
    "generate": _generate,
    "serve": _serve,
    "demo": _demo,
}
"""All commands, in the order of `tdcur --help`."""


class LazyCommands(TyperGroup):
    """A group that imports a command's module only for that command, or for the help of all."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 -- the type is Typer's private Context
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 -- as above
        # Typer suggests similar names from the keys of this mapping.
        names: Any = dict.fromkeys(COMMANDS)
        self.commands = names
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 -- as above
        return COMMANDS[cmd_name]().build(cmd_name, CONTEXT_SETTINGS) if cmd_name in COMMANDS else None


app = typer.Typer(
    name="tdcur",
    cls=LazyCommands,
    context_settings=CONTEXT_SETTINGS,
    no_args_is_help=True,
    # Locals in a traceback would show write keys and payloads.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"tdcur {__version__}")
        raise typer.Exit


@app.callback()
def tdcur(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Validate, send, parse, count, and reconcile Braze Currents events for Treasure Data."""


def main() -> None:
    """Run the `tdcur` command."""
    # A shell may start us without standard streams (`<&-`, `>&-`): Python then has None in their place.
    # What is written to a standard output that is closed is an error, as everywhere: its stand-in cannot be written to.
    for name, mode, flags in (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, flags), mode, encoding="utf-8"))  # noqa: PTH123, SIM115 -- kept
    app(prog_name="tdcur")
