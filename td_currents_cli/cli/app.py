"""The Typer app: `tdcur COMMAND`, each command in a module of its own that is imported when it is asked for."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from td_currents_cli import __version__

COMMANDS: Final = (
    "validate",
    "rules",
    "send",
    "parse",
    "count",
    "reconcile",
    "verify",
    "sql",
    "events",
    "generate",
    "serve",
    "demo",
)
"""In the order `tdcur --help` shows them: the way of the data, then what helps along it."""


class LazyCommands(TyperGroup):
    """A group that imports a command's module only when that command, or the help of all, is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 -- the type is Typer's private Context
        """All command names, in their order."""
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 -- as above
        """The command that the arguments name; for a misspelt one, an error with the nearest name."""
        # Typer suggests from the keys of this mapping alone.
        names: Any = dict.fromkeys(COMMANDS)
        self.commands = names
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 -- as above
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"td_currents_cli.cli.{cmd_name}")
        app = typer.Typer(add_completion=False, context_settings=CONTEXT, rich_markup_mode="markdown")
        app.command(
            cmd_name,
            cls=getattr(module, "CLASS", None),
            no_args_is_help=getattr(module, "NO_ARGS_IS_HELP", False),
        )(getattr(module, cmd_name))
        return get_command(app)


CONTEXT: Final = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="tdcur",
    cls=LazyCommands,
    context_settings=CONTEXT,
    no_args_is_help=True,
    # Locals of a traceback would hold write keys and payloads.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"tdcur {__version__}")
        raise typer.Exit


@app.callback()
def tdcur(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Braze Currents events on their way into Treasure Data: validate, send, parse, count, reconcile."""


def main() -> None:
    """Entry point of the `tdcur` command."""
    _open_standard_streams()
    app(prog_name="tdcur")


def _open_standard_streams() -> None:
    """A shell may start us without them (`<&-`, `>&-`): Python then has None where a stream should be."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 -- kept to the end
