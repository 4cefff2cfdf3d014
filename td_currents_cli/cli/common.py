"""What all commands share: their common options, and the one place that turns outcomes and errors into exit codes."""

import inspect
import os
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from enum import StrEnum
from functools import wraps
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer

from td_currents_cli.cli.given import given_in
from td_currents_cli.errors import DefectError, ExitCode, OutputError, TdcurError
from td_currents_cli.outcome import Outcome, error_envelope
from td_currents_cli.read.options import InputFormat
from td_currents_cli.render.terminal import Color, Terminal, buffer_output


class Format(StrEnum):
    """How an outcome is printed: for people, or for scripts."""

    text = "text"
    json = "json"


Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH…",
        help="Files, folders, globs, or - for standard input (the default). Compression is detected.",
        show_default=False,
    ),
]

TextFormat = Annotated[Format, typer.Option("--format", help="How the outcome is printed on standard output.")]


Jobs = Annotated[
    int | None,
    typer.Option("--jobs", metavar="N", min=1, help="Processes for large inputs.", show_default="one for each core"),
]


INPUT: Final = "Input"

FromForm = Annotated[
    InputFormat,
    typer.Option("--from", help="Form of the input, where its contents are not to decide.", rich_help_panel=INPUT),
]

Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        metavar="NAME|NUMBER",
        help="Column of the batches; numbers begin at 1.",
        show_default="events, else found by content",
        rich_help_panel=INPUT,
    ),
]

NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The first row is no line of names.", rich_help_panel=INPUT)
]

WHICH: Final = "Which events"

Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="GLOB",
        # Help is markdown, which takes bare stars for emphasis.
        help="Only types that match, such as '\\*.email.\\*'; '!\\*.Abort' leaves types out.",
        rich_help_panel=WHICH,
    ),
]

Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only events that happened from then on: 2026-07-01, 2026-07-01T10:00Z, UNIX seconds, -7d.",
        rich_help_panel=WHICH,
    ),
]

Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Only events that happened before.", rich_help_panel=WHICH),
]


def command(function: Callable[..., Outcome]) -> Callable[..., None]:
    """Make a Typer command of a function that takes options and returns an outcome.

    Adds the common options, hands a `Terminal` to a function that asks for one by the name `terminal`, and the `Given`
    options by the name `given`, renders the outcome or the error in the format asked for (the option `output_format`),
    and exits with its code.
    """
    signature = inspect.signature(function, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name not in {"terminal", "given"}]

    @wraps(function)
    def run(context: typer.Context, **options: Any) -> None:  # noqa: ANN401 -- whatever the function declares
        buffer_output()
        terminal = Terminal.open(color=options.pop("color"), quiet=options.pop("quiet"), verbose=options.pop("verbose"))
        # `send --check-endpoint` reads nothing.
        reads = "paths" in options and not options.get("check_endpoint")
        if reads and not options["paths"] and sys.stdin.isatty():
            # Typer's rich help is printed, not returned; standard output is for data.
            with redirect_stdout(sys.stderr):
                typer.echo(context.get_help(), nl=False)
            raise typer.Exit(ExitCode.USAGE)
        if "terminal" in signature.parameters:
            options["terminal"] = terminal
        if "given" in signature.parameters:
            options["given"] = given_in(context)
        _run(function, options, terminal)

    # Typer reads the signature, not the function: this is where the common options become part of each command.
    typed: Any = run
    typed.__signature__ = signature.replace(parameters=[_CONTEXT, *own, *_COMMON], return_annotation=None)
    typed.__annotations__ = {p.name: p.annotation for p in (_CONTEXT, *own, *_COMMON)}
    return run


def _run(function: Callable[..., Outcome], options: dict[str, Any], terminal: Terminal) -> NoReturn:
    form = str(options.get("output_format", "text"))
    signal.signal(signal.SIGTERM, _terminate)
    try:
        outcome = function(**options)
        _show(outcome, form, terminal)
        code = outcome.exit_code
    except (KeyboardInterrupt, Terminated) as error:
        code = ExitCode.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitCode.TERMINATED
    except Exception as error:  # noqa: BLE001 -- the one place where everything ends as a message and an exit code
        code = _fail(error, function.__name__, form, terminal)
    raise typer.Exit(code)


def _show(outcome: Outcome, form: str, terminal: Terminal) -> None:
    from td_currents_cli.render import show  # noqa: PLC0415 -- rich and orjson are not needed to fail early

    show(outcome, form, terminal)
    sys.stdout.flush()


def _fail(error: Exception, name: str, form: str, terminal: Terminal) -> ExitCode:
    """Say why the run cannot go on, in the form asked for, and with which code it exits."""
    from td_currents_cli.render import show_error, write_json, write_json_line  # noqa: PLC0415 -- as above

    if os.environ.get("TDCUR_DEBUG") == "1":
        import traceback  # noqa: PLC0415 -- only for debugging

        traceback.print_exception(error)
    failure = _as_tdcur_error(error)
    if isinstance(error, OSError):
        # Python flushes standard output once more at exit, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        # The reader of our output went away, as `| head` does: not all was written, but there is nothing to say.
        return failure.exit_code
    show_error(failure, terminal)
    if form in {"json", "jsonl"}:
        write = write_json if form == "json" else write_json_line
        write(error_envelope(name, failure))
    return failure.exit_code


def _as_tdcur_error(error: Exception) -> TdcurError:
    if isinstance(error, TdcurError):
        return error
    if isinstance(error, OSError):
        return OutputError(f"cannot write the output: {error.strerror or type(error).__name__}")
    # The message of a foreign exception may hold payload content: its type and place are enough for a report.
    place = _end_of_traceback(error)
    return DefectError(
        f"this is a defect of tdcur: {type(error).__name__} in {place}",
        hint="Please report it with the traceback that TDCUR_DEBUG=1 shows.",
    )


def _end_of_traceback(error: BaseException) -> str:
    """File and line that raised an exception."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    return f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}" if frame else "an unknown place"  # noqa: PTH119


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
