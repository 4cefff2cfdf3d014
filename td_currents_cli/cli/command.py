"""What all commands share: the common options, and the one place that turns outcomes and errors into exit codes."""

import errno
import inspect
import os
import select
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial, wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

import typer
from msgspec import Struct
from typer.core import TyperCommand
from typer.exceptions import TyperException
from typer.main import get_command

from td_currents_cli.braze import Site
from td_currents_cli.choices import When
from td_currents_cli.cli import complete
from td_currents_cli.cli.parameters import print_help, shown_names
from td_currents_cli.errors import DefectError, ExitCode, OutputError, TdcurError, UsageError
from td_currents_cli.outcome import Outcome, error_envelope
from td_currents_cli.render import render
from td_currents_cli.render.terminal import Terminal, print_error, print_unwrapped, show_progress, write_json

if TYPE_CHECKING:
    from td_currents_cli.cli.interruption import FileState

ExplicitOptions: TypeAlias = frozenset[str]
"""Long option names, such as `--since`."""


def explicit_options(context: "typer.Context") -> ExplicitOptions:
    """Collect the options that were given on the command line."""
    sources = {each: context.get_parameter_source(each.name or "") for each in context.command.params}
    given = [each for each, source in sources.items() if source and source.name == "COMMANDLINE"]
    options = [each.opts for each in given if each.param_type_name == "option"]
    return frozenset(next(name for name in names if name.startswith("--")) for names in options)


def refuse(unusable: Collection[str], what: str, hint: str) -> None:
    """Check that no option was given that cannot be used with `what`.

    Raises:
        UsageError: naming the first of the unusable options, with the hint.
    """
    for option in sorted(unusable):
        raise UsageError(f"{option} cannot be used with {what}", hint=hint)


class OutputFormat(StrEnum):
    """Output format of commands with one form for people and one for scripts."""

    text = "text"
    json = "json"


class Panel(StrEnum):
    """Headings that group the options in the help of a command."""

    DESTINATION = "Destination"
    INPUT = "Input format"
    OUTPUT = "Output"
    INSERT = "Insert into a table"
    FILTERS = "Filters"
    CATALOG = "Catalog and baseline"
    LIMITS = "Rate limits and retries"
    STATE = "State files"
    FAULTS = "Fault injection"
    CHECKS = "Checks"
    GENERAL = "General"


def _option(panel: Panel, *names: str, default: object = None, **settings: Any) -> Any:  # noqa: ANN401 -- Typer's
    return typer.Option(default, *names, rich_help_panel=panel, **settings)


# Options are the defaults of the parameters of a command. Without a `default` of their own they are None; with `...`
# they are required. Those that several commands have are in `cli.options`.
destination_option: Final = partial(_option, Panel.DESTINATION)
input_option: Final = partial(_option, Panel.INPUT)
output_option: Final = partial(_option, Panel.OUTPUT)
insert_option: Final = partial(_option, Panel.INSERT)
filters_option: Final = partial(_option, Panel.FILTERS)
catalog_option: Final = partial(_option, Panel.CATALOG)
limits_option: Final = partial(_option, Panel.LIMITS)
state_option: Final = partial(_option, Panel.STATE)
faults_option: Final = partial(_option, Panel.FAULTS)
checks_option: Final = partial(_option, Panel.CHECKS)
general_option: Final = partial(_option, Panel.GENERAL)


SETTINGS: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    "site": ("TD_API_SERVER", Site),
    "api_key_file": ("TD_API_KEY", str),
    "catalog": ("TDCUR_CATALOG", Path),
    "select": ("", list),
    "ignore": ("", list),
}
"""Parameters that settings files may fill in, each with the variable that takes precedence, and its type."""


class PanelCommand(TyperCommand):
    """A command whose --help is in a panel, as all other options are, and prints a page of ours."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 -- Typer's types are private
        from td_currents_cli.cli.help_page import command_page, shows_color  # noqa: PLC0415 -- only for help

        ctx.color = shows_color()
        formatter.write(command_page(self, ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- as above
        if self.no_args_is_help and not args and not ctx.resilient_parsing:
            print_help(ctx)
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            vars(error)["ctx"] = ctx  # which some errors lack
            raise

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401 -- as above
        options = [each for each in self.params if each.param_type_name == "option"]
        shown = {name for each in options for name in shown_names(each)} | set(ctx.help_option_names)
        return [each for each in super().shell_complete(ctx, incomplete) if each.value in shown]

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401 -- as above
        option: Any = super().get_help_option(ctx)
        if option is not None:
            option.rich_help_panel = Panel.GENERAL
        return option


class CliCommand(Struct, frozen=True):
    """A function that Typer can run, and how its help is shown."""

    run: Callable[..., None]
    examples: Sequence[str]
    no_args_is_help: bool
    typer_class: type[PanelCommand]

    def build(self, name: str, context_settings: dict[str, Any]) -> Any:  # noqa: ANN401 -- Typer's type is private
        """Build the Typer command, with its examples at the end of the help."""
        app = typer.Typer(add_completion=False, context_settings=context_settings)
        app.command(
            name,
            cls=self.typer_class,
            no_args_is_help=self.no_args_is_help,
            epilog="\n".join(self.examples),
        )(self.run)
        return get_command(app)


def command(
    *, examples: Sequence[str] = (), no_args_is_help: bool = False, typer_class: type[PanelCommand] = PanelCommand
) -> Callable[[Callable[..., Outcome]], CliCommand]:
    """Make a Typer command of a function that takes options and returns an outcome.

    Adds the common options, passes a `Terminal` to a function with a parameter `terminal`, the `ExplicitOptions` to one
    with a parameter `given`, and a `ProgressLine` to one with a parameter `line`, renders the outcome or the error in
    the requested format (the option `output_format`), and exits with its code.
    """

    def decorate(function: Callable[..., Outcome]) -> CliCommand:
        signature = inspect.signature(function, eval_str=True)
        own = [each for name, each in signature.parameters.items() if name not in _PROVIDED]
        has_progress = "line" in signature.parameters
        own += [_CATALOG] * (has_progress or function.__name__ in _WITH_CATALOG)
        names = {each.name for each in own} | signature.parameters.keys()
        common = [_CONTEXT, *own, *[_PROGRESS] * has_progress, *_COMMON, *[_PROFILE] * _uses_settings(names)]

        @wraps(function)
        def run(context: typer.Context, **options: Any) -> None:  # noqa: ANN401 -- whatever the function declares
            terminal = Terminal(color=options.pop("color"), quiet=options.pop("quiet"), verbose=options.pop("verbose"))
            # `send --check-endpoint` reads nothing.
            reads = "paths" in options and not (options.get("check_endpoint") or options.get("sent"))
            if reads and not options["paths"] and sys.stdin.isatty():
                print_help(context)
            if "terminal" in signature.parameters:
                options["terminal"] = terminal
            if "given" in signature.parameters:
                options["given"] = explicit_options(context)
            _run(function, options, names, terminal)

        # Typer reads the signature: this makes the common options part of each command.
        typed: Any = run
        typed.__signature__ = signature.replace(parameters=common, return_annotation=None)
        typed.__annotations__ = {parameter.name: parameter.annotation for parameter in common}
        return CliCommand(run, examples, no_args_is_help, typer_class)

    return decorate


@contextmanager
def _catalog(path: Path | None) -> Iterator[None]:
    """Use a catalog in this process and those that it starts."""
    before = os.environ.get("TDCUR_CATALOG", "")
    os.environ["TDCUR_CATALOG"] = before if path is None else str(path)
    try:
        yield
    finally:
        os.environ["TDCUR_CATALOG"] = before


def _uses_settings(parameters: Collection[str]) -> bool:
    return bool({"settings", *SETTINGS}.intersection(parameters))


def _apply_settings(options: dict[str, Any], parameters: Collection[str]) -> None:
    """Fill in what no option and no variable says from settings files."""
    from td_currents_cli.config import PROFILE_VARIABLE, load, user_file  # noqa: PLC0415 -- only where they apply

    settings = load(Path.cwd(), user_file(), options.pop("profile") or os.environ.get(PROFILE_VARIABLE, ""))
    for name in SETTINGS.keys() & parameters:
        variable, convert = SETTINGS[name]
        setting = settings.get(name.replace("_", "-"))
        # `send` takes its destination whole, from the settings.
        is_destination = name == "site" and "settings" in parameters
        if options[name] is None and setting and not os.environ.get(variable) and not is_destination:
            options[name] = convert(setting.value)
    if "settings" in parameters:
        options["settings"] = settings


def _run(
    function: Callable[..., Outcome], options: dict[str, Any], parameters: Collection[str], terminal: Terminal
) -> NoReturn:
    name, output_format = function.__name__, str(options.get("output_format", "text"))
    with _signals_raise():
        outcome, files = None, _files(options)
        try:
            if _uses_settings(parameters):
                _apply_settings(options, parameters)
            with _catalog(options.pop("catalog", None)):
                with _progress_line(options, parameters, terminal):
                    outcome = function(**options)
                _print_traceback(getattr(getattr(outcome, "error", None), "__cause__", None))
                render(outcome, output_format, terminal)
                sys.stdout.flush()
            if outcome.exit_code is ExitCode.OK and output_format in {"text", "table"}:
                _suggest_next(name, options, outcome, terminal)
            code = outcome.exit_code
        except (KeyboardInterrupt, Terminated, Exception) as error:  # noqa: BLE001 -- the one place where all runs end
            # A document of which a part may have been written is not followed by another.
            if outcome and isinstance(error, BrokenPipeError) and _has_no_reader():
                # As with `| head`: the reader has got what it wanted, and what is known of the data stays true.
                _discard_output()
                code = outcome.exit_code
            else:
                reported = _interruption(error, name, options, files, is_printing=outcome is not None)
                code = report_failure(reported, terminal, name, "text" if outcome else output_format)
    raise typer.Exit(code)


@contextmanager
def _progress_line(options: dict[str, Any], parameters: Collection[str], terminal: Terminal) -> Iterator[None]:
    """Show the progress of a command that has any."""
    if "line" not in parameters:
        yield
        return
    mode = options.pop("progress")
    if mode is When.auto and sys.stdout.isatty() and _writes_data(options):
        mode = When.never  # the terminal shows the data
    with show_progress(terminal, mode) as options["line"]:
        yield


def _writes_data(options: Mapping[str, Any]) -> bool:
    """Whether data is written to standard output while the command runs."""
    is_elsewhere = options.get("out_dir") or options.get("into")
    return "output" in options and options["output"] in {None, Path("-")} and not is_elsewhere


def _suggest_next(name: str, options: Mapping[str, Any], outcome: Outcome, terminal: Terminal) -> None:
    """Name the next useful command to a person at a terminal."""
    if terminal.quiet or not all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return
    from td_currents_cli.cli.next_command import next_command  # noqa: PLC0415 -- only on a terminal

    if following := next_command(name, options, outcome):
        print_unwrapped(terminal.err, f"next: {following}", "dim")


_FILES: Final = ("output", "out_dir", "rejects", "summary", "write_baseline", "resend", "ids")
"""Parameters of all commands that name a file, or a folder, to write."""


def _files(options: Mapping[str, Any]) -> "dict[Path, FileState]":
    """Return the files that a command is to write, as they are now."""
    paths = [options[name] for name in _FILES if isinstance(options.get(name), Path) and options[name] != Path("-")]
    if not paths:
        return {}
    from td_currents_cli.cli.interruption import file_state  # noqa: PLC0415 -- only where a file is written

    return {path: file_state(path) for path in paths}


def _interruption(
    error: BaseException, name: str, options: Mapping[str, Any], files: "dict[Path, FileState]", *, is_printing: bool
) -> BaseException:
    """Return the error of a run that was interrupted, with what was and was not written; others as they are."""
    if not isinstance(error, KeyboardInterrupt | Terminated):
        return error
    from td_currents_cli.cli.interruption import describe_outputs, describe_query  # noqa: PLC0415 -- rarely used

    failure = _as_tdcur_error(error)
    streams = is_printing or _writes_data(options)
    query = describe_query(
        options.get("into"),
        is_repeatable=bool(options.get("incremental")),
        dry_run=bool(options.get("dry_run")),
    )
    outputs = describe_outputs("" if is_printing else name, files, streams=streams, query=query)
    return type(failure)(f"{failure.message}: {outputs}" if outputs else failure.message)


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise, so that what has been begun is cleaned up and reported."""
    interrupt, terminate = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    if interrupt is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)


def report_failure(
    error: BaseException, terminal: Terminal | None = None, name: str = "", output_format: str = "text"
) -> ExitCode:
    """Report why a run failed on standard error, and in the format that was requested; return the exit code."""
    if isinstance(error, BrokenPipeError) and _has_no_reader():
        # The reader of our output went away, as `| head` does: it has all that it wanted.
        _discard_output()
        return ExitCode.OK
    _print_traceback(error)
    failure = _as_tdcur_error(error)
    if isinstance(error, OSError):
        _discard_output()
    is_json = output_format in {"json", "jsonl"}
    is_interruption = isinstance(failure, InterruptedRunError | TerminatedRunError)
    if failure.message and not isinstance(error, KeyboardInterrupt | Terminated) and not (is_interruption and is_json):
        print_error(failure, terminal or Terminal())
    try:
        if is_json and not isinstance(error, OSError):
            write_json(error_envelope(name, failure), is_line=output_format == "jsonl")
        sys.stdout.flush()
    except OSError as second:
        return report_failure(second, terminal)
    return failure.exit_code


def _print_traceback(error: BaseException | None) -> None:
    if error is not None and os.environ.get("TDCUR_DEBUG") == "1":
        import traceback  # noqa: PLC0415 -- only for debugging

        traceback.print_exception(error)


def _has_no_reader() -> bool:
    """Whether the reader of standard output has gone away."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in output.poll(0))


def _discard_output() -> None:
    # Python flushes standard output once more at exit, and would fail again.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_tdcur_error(error: BaseException) -> TdcurError:
    if isinstance(error, TdcurError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return InterruptedRunError("interrupted")
    if isinstance(error, Terminated):
        return TerminatedRunError("terminated")
    if isinstance(error, OSError):
        reason = "standard output is closed" if error.errno == errno.EBADF else error.strerror
        return OutputError(f"cannot write the output: {reason or type(error).__name__}")
    if isinstance(error, TyperException):
        from td_currents_cli.cli.usage import as_usage_error  # noqa: PLC0415 -- only for wrong usage

        return as_usage_error(error)
    return DefectError.of(error)


class InterruptedRunError(TdcurError):
    exit_code = ExitCode.INTERRUPTED


class TerminatedRunError(TdcurError):
    exit_code = ExitCode.TERMINATED


class Terminated(BaseException):
    """SIGTERM arrived; raised so that open files are cleaned up on the way out, as for Ctrl-C."""


def _raise_terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def _common(name: str, kind: object, option: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind)


_CONTEXT: Final = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

_PROVIDED: Final = frozenset({"terminal", "given", "settings", "line"})
"""Parameters that are not options."""

_WITH_CATALOG: Final = frozenset({"show", "sql", "workflow"})
"""Commands that use the catalog, in addition to those that process events, which have progress."""

_CATALOG: Final = _common(
    "catalog",
    Path | None,
    catalog_option("--catalog", metavar="FILE", help="Additional event types and fields. [env: TDCUR_CATALOG]"),
)

_PROGRESS: Final = _common(
    "progress",
    When,
    general_option(
        "--progress", metavar="WHEN", default=When.auto, help="When to show progress; always: even with --quiet."
    ),
)

PROFILE: Final[Any] = general_option(
    "--profile",
    metavar="NAME",
    autocompletion=complete.profiles,
    help="Profile of the settings files. [env: TDCUR_PROFILE]",
)

_PROFILE: Final = _common("profile", str | None, PROFILE)

_COMMON: Final = [
    _common("quiet", bool, general_option("-q", "--quiet", default=False, help="Print only errors and data.")),
    _common("verbose", bool, general_option("-v", "--verbose", default=False, help="Print more details.")),
    _common(
        "color",
        When,
        general_option(
            "--color", metavar="WHEN", default=When.auto, help="When to use color. [env: NO_COLOR, FORCE_COLOR]"
        ),
    ),
]
