"""The Typer app: `tdcur COMMAND`, each command in a module of its own that is imported when it is needed."""

import os
import sys
from contextlib import suppress
from io import BufferedWriter, RawIOBase
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from td_currents_cli import __version__
from td_currents_cli.cli import complete
from td_currents_cli.cli.groups import COMMANDS, GROUPS
from td_currents_cli.cli.parameters import print_help
from td_currents_cli.secrets import MaskedOutput

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from td_currents_cli.cli.command import CliCommand

# ruff: noqa: PLC0415 -- only the command that is run is imported

CONTEXT_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}


def load_command(name: str) -> "CliCommand | None":  # noqa: C901, PLR0912 -- a table
    """Import the module of a command; None if there is no command of that name."""
    match name:
        case "validate":
            from td_currents_cli.cli.validate import validate as found
        case "rules":
            from td_currents_cli.cli.rules import rules as found
        case "send":
            from td_currents_cli.cli.send import send as found
        case "parse":
            from td_currents_cli.cli.parse import parse as found
        case "count":
            from td_currents_cli.cli.count import count as found
        case "reconcile":
            from td_currents_cli.cli.reconcile import reconcile as found
        case "verify":
            from td_currents_cli.cli.verify import verify as found
        case "report":
            from td_currents_cli.cli.report import report as found
        case "watch":
            from td_currents_cli.cli.watch import watch as found
        case "sql":
            from td_currents_cli.cli.sql import sql as found
        case "events":
            from td_currents_cli.cli.events import events as found
        case "generate":
            from td_currents_cli.cli.generate import generate as found
        case "serve":
            from td_currents_cli.cli.serve import serve as found
        case "demo":
            from td_currents_cli.cli.demo import demo as found
        case "show":
            from td_currents_cli.cli.show import show as found
        case "workflow":
            from td_currents_cli.cli.workflow import workflow as found
        case "url":
            from td_currents_cli.cli.url import url as found
        case "journal":
            from td_currents_cli.cli.journal import journal as found
        case "help":
            from td_currents_cli.cli.help import show_help as found
        case "config":
            from td_currents_cli.cli.config import config as found
        case "doctor":
            from td_currents_cli.cli.doctor import doctor as found
        case _:
            return None
    return found


class LazyCommands(TyperGroup):
    """A group that imports a command's module only for that command, or for the help of all."""

    def main(self, *, standalone_mode: bool = True, **settings: Any) -> Any:  # type: ignore[override]  # noqa: ANN401 -- Typer's
        """Run a command and exit with its code. Wrong usage and failed output are reported as all other errors are."""
        if "_TDCUR_COMPLETE" in os.environ:
            from typer.completion import get_completion_inspect_parameters

            get_completion_inspect_parameters()  # makes the shells known to Typer
        if not standalone_mode:
            return super().main(standalone_mode=False, **settings)
        try:
            code = super().main(standalone_mode=False, **settings)
            sys.stdout.flush()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the process ends here
            from td_currents_cli.cli.command import report_failure

            code = report_failure(error)
        sys.exit(code)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- the type is Typer's private Context
        if not args and not ctx.resilient_parsing:
            print_help(ctx)
        if args[-1:] in (["--show-completion"], ["--install-completion"]):
            args = [*args, complete.Shell.auto]
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            vars(error)["arguments"] = args  # which may name a command whose option this is
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 -- as above
        from td_currents_cli.cli.help_page import overview, shows_color

        ctx.color = shows_color()
        formatter.write(overview(self.help or "", self.get_params(ctx)))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 -- as above
        return list(COMMANDS)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401 -- as above
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            SimpleNamespace(value=name, help=about, type="plain")  # as Typer's own class, which is private
            for group in GROUPS.values()
            for name, about in group.items()
            if name.startswith(incomplete)
        ]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 -- as above
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from td_currents_cli.cli.usage import unknown_command

            raise unknown_command(args[0])
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 -- as above
        found = load_command(cmd_name)
        return found and found.build(cmd_name, CONTEXT_SETTINGS)


app = typer.Typer(
    name="tdcur",
    cls=LazyCommands,
    context_settings=CONTEXT_SETTINGS,
    # Ours takes the name of the shell, and does not load what Typer's needs at every start.
    add_completion=False,
    # Locals in a traceback would show write keys and payloads.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"tdcur {__version__}")
        raise typer.Exit


def _complete(context: typer.Context, parameter: typer.CallbackParam, shell: complete.Shell | None) -> None:
    if shell is not None and not context.resilient_parsing:
        complete.run(context, parameter, shell)


@app.callback()
def tdcur(
    *,
    version: Annotated[
        bool, typer.Option("-V", "--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    show_completion: Annotated[
        complete.Shell | None,
        typer.Option(
            metavar="SHELL", callback=_complete, is_eager=True, help="Print the completion script of a shell."
        ),
    ] = None,
    install_completion: Annotated[
        complete.Shell | None,
        typer.Option(metavar="SHELL", callback=_complete, is_eager=True, help="Install the completion of a shell."),
    ] = None,
) -> None:
    """Validate, send, parse, count, and reconcile Braze Currents events for Treasure Data."""


def run() -> None:
    """Run the command line in this process, with standard streams that always exist and that show no secret."""
    _replace_streams()
    app(prog_name="tdcur")


def _replace_streams() -> None:
    # A shell may start us without standard streams (`<&-`, `>&-`): Python then has None in their place. They are opened
    # in this order, so that their descriptors get the usual numbers. Writing to a closed standard output fails.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 -- kept to the end
    sys.stdout = _standard_output(sys.stdout)
    sys.stderr = _standard_error(sys.stderr)


class _Messages(RawIOBase):
    """Messages that cannot be written are dropped, so that the exit code stays that of the data."""

    def __init__(self, raw: Any) -> None:  # noqa: ANN401 -- a binary file
        self.writable, self.isatty, self.fileno = raw.writable, raw.isatty, raw.fileno  # type: ignore[method-assign]
        self._write = raw.write

    def write(self, message: "ReadableBuffer", /) -> int:
        with suppress(OSError):
            if written := self._write(message):  # None: it would have to wait
                return int(written)
        return memoryview(message).nbytes


def _standard_error(stream: TextIO | None) -> TextIO:
    buffer: Any = stream.buffer if stream else open(os.devnull, "wb", buffering=0)  # noqa: PTH123, SIM115 -- kept to the end
    messages = BufferedWriter(_Messages(getattr(buffer, "raw", buffer)))
    encoding = stream.encoding if stream else "utf-8"
    return MaskedOutput(messages, encoding, "backslashreplace", newline="\n", line_buffering=True)


def _standard_output(stream: TextIO | None) -> TextIO:
    if stream is None:
        return MaskedOutput(os.fdopen(os.open(os.devnull, os.O_RDONLY), "wb"), "utf-8", line_buffering=True)
    raw: Any = stream.buffer
    is_unbuffered = isinstance(raw, RawIOBase)  # with PYTHONUNBUFFERED, which many containers set
    # An unbuffered write may write part of the data without an error when the reader of a pipe exits or a disk is full:
    # a buffer writes everything or fails.
    return MaskedOutput(
        BufferedWriter(raw) if is_unbuffered else raw,
        stream.encoding,
        stream.errors,
        newline="\n",
        line_buffering=is_unbuffered or bool(stream.line_buffering),
    )
