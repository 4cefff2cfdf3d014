"""What all commands share: their common options, and the one place that turns outcomes and errors into exit codes."""

import errno
import inspect
import os
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer

from td_currents_cli.errors import ExitCode, OutputError, TdcurError
from td_currents_cli.outcome import Outcome, error_envelope
from td_currents_cli.render.terminal import Color, Terminal

class Format(StrEnum):
    """How an outcome is printed: for people, or for scripts."""

    text = "text"
    json = "json"


Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Files, folders, globs, or - for standard input (the default). Compression is detected.",
        show_default=False,
    ),
]

TextFormat = Annotated[Format, typer.Option("--format", help="How the outcome is printed on standard output.")]


def command(function: Callable[..., Outcome]) -> Callable[..., None]:
    """Make a Typer command of a function that takes options and returns an outcome.

    Adds the common options, hands a `Terminal` to a function that asks for one by the name `terminal`, renders the
    outcome or the error in the format asked for (the option `output_format`), and exits with its code.
    """
    signature = inspect.signature(function, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "terminal"]

    @wraps(function)
    def run(context: typer.Context, **options: Any) -> None:  # noqa: ANN401 -- whatever the function declares
        terminal = Terminal.open(
            color=options.pop("color"), quiet=options.pop("quiet"), verbose=options.pop("verbose")
        )
        if "paths" in options and not options["paths"] and sys.stdin.isatty():
            terminal.err.print(context.get_help(), markup=False, highlight=False)
            raise typer.Exit(ExitCode.USAGE)
        if "terminal" in signature.parameters:
            options["terminal"] = terminal
        _run(function, options, terminal)

    # Typer reads the signature, not the function: this is where the common options become part of each command.
    run.__signature__ = signature.replace(  # type: ignore[attr-defined] -- a documented attribute of callables
        parameters=[_CONTEXT, *own, *_COMMON], return_annotation=None
    )
    run.__annotations__ = {p.name: p.annotation for p in (_CONTEXT, *own, *_COMMON)}
    return run


def _run(function: Callable[..., Outcome], options: dict[str, Any], terminal: Terminal) -> NoReturn:
    form = str(options.get("output_format", "text"))
    signal.signal(signal.SIGTERM, _terminate)
    try:
        outcome = function(**options)
        _show(outcome, form, terminal)
    except TdcurError as error:
        raise typer.Exit(_fail(error, function.__name__, form, terminal)) from _cause(error)
    except KeyboardInterrupt as error:
        raise typer.Exit(ExitCode.INTERRUPTED) from _cause(error)
    except Terminated as error:
        raise typer.Exit(ExitCode.TERMINATED) from _cause(error)
    except OSError as error:
        if error.errno == errno.EPIPE:
            _leave_closed_pipe()
        failure = OutputError(f"cannot go on: {error.strerror or type(error).__name__}")
        raise typer.Exit(_fail(failure, function.__name__, form, terminal)) from _cause(error)
    raise typer.Exit(outcome.exit_code)


def _show(outcome: Outcome, form: str, terminal: Terminal) -> None:
    from td_currents_cli.render import show  # noqa: PLC0415 -- rich and orjson are not needed to fail early

    show(outcome, form, terminal)
    sys.stdout.flush()


def _fail(error: TdcurError, name: str, form: str, terminal: Terminal) -> ExitCode:
    from td_currents_cli.render import show_error, write_json  # noqa: PLC0415 -- as above

    show_error(error, terminal)
    if form in {"json", "jsonl"}:
        write_json(error_envelope(name, error))
    return error.exit_code


def _cause(error: BaseException) -> BaseException | None:
    """The cause for `raise … from`: none, so that no traceback is shown, unless TDCUR_DEBUG asks for one."""
    if os.environ.get("TDCUR_DEBUG") == "1":
        import traceback  # noqa: PLC0415 -- only for debugging

        traceback.print_exception(error)
    return None


def _leave_closed_pipe() -> NoReturn:
    """The reader of our output went away (`| head`): nothing is wrong, but not all was written."""
    # Python flushes standard output once more at exit, which would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(ExitCode.IO)


class Terminated(BaseException):
    """SIGTERM arrived; raised so that open files are cleaned up on the way out, as for Ctrl-C."""


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


_CONTEXT: Final = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

_COMMON: Final = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, default, annotation in (
        ("quiet", False, Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors and data.")]),
        ("verbose", False, Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]),
        ("color", Color.auto, Annotated[Color, typer.Option("--color", help="When to use colour.")]),
    )
]
