"""Standard output and standard error, alike on terminals, in pipes, and in CI logs; what all renderers print with."""

import errno
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from io import TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING, Final, TextIO, cast

from td_currents_cli.braze import CANARY
from td_currents_cli.choices import When, wants_color
from td_currents_cli.errors import TdcurError
from td_currents_cli.model import Code, Problem, Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.secrets import mask, masked

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from td_currents_cli.progress import Gauge, Progress
    from td_currents_cli.render.progress import ProgressWriter

UNCLIPPED = 10_000
"""Columns of a console that is not a terminal: tables take the width that they need."""


class Stream:
    """Standard output or standard error, with rich's console where it has styles or the width of a terminal."""

    def __init__(self, file: TextIO, color: When = When.auto, console: "Console | None" = None) -> None:
        if isinstance(file, TextIOWrapper):
            # A character that the encoding of the terminal lacks must not stop the run.
            file.reconfigure(errors="backslashreplace")
        self.file = file
        self._color = color
        self._console = console

    @property
    def is_plain(self) -> bool:
        """Whether it is not a terminal and has no colors: what is written then need not wait for rich to load."""
        if self._console is not None:
            return not (self._console.is_terminal or self._console.color_system)
        return not (self.file.isatty() or wants_color(self._color, is_terminal=False))

    @property
    def width(self) -> int | None:
        """Columns that tables must fit; None in a pipe, with or without color, where nothing is shortened."""
        if self.is_plain or not self.console.is_terminal or self.console.width >= UNCLIPPED:
            return None
        return self.console.width

    @property
    def ascii_only(self) -> bool:
        """Whether its encoding lacks what bars are drawn with."""
        return not (self.file.encoding or "utf-8").lower().startswith("utf")

    # Rich is loaded when something is printed with it.
    @cached_property
    def console(self) -> "Console":
        return self._console or _console(self.file, self._color)

    def print(self, message: str, style: str = "") -> None:
        """Print a message, wrapped between words on a terminal and never off one."""
        if self.is_plain:
            self.file.write(f"{mask(message)}\n")  # as rich would print it
        else:
            print_wrapped(self.console, message, style)


def _console(file: TextIO, color: When) -> "Console":
    from rich.console import Console  # noqa: PLC0415 -- heavy; what goes into a pipe does without

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the process with exit code 1: that is for the command line to decide.
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    is_terminal = file.isatty()
    colored = wants_color(color, is_terminal=is_terminal)
    return PlainConsole(
        file=file,
        # Not left to rich: it takes GITHUB_ACTIONS for a terminal even under NO_COLOR.
        force_terminal=colored or is_terminal,
        # Without color there is no bold either: `--color never` and TERM=dumb mean plain text.
        color_system="auto" if colored else None,
        width=None if is_terminal else UNCLIPPED,
        highlight=False,
        # `a.json:100:5` is a place, not `a.json` and an emoji named 100.
        emoji=False,
        legacy_windows=False,
    )


class Terminal:
    """Where a command prints: data to `out`, messages to `err`; by default the standard streams of this process."""

    def __init__(
        self,
        out: "Console | None" = None,
        err: "Console | None" = None,
        *,
        color: When = When.auto,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self._out = out
        self._err = err
        self.color = color
        self.quiet = quiet
        self.verbose = verbose
        self.before_print: Callable[[], None] | None = None  # makes room on standard error

    @cached_property
    def out_stream(self) -> Stream:
        return Stream(cast("TextIO", self._out.file) if self._out else sys.stdout, self.color, self._out)

    @cached_property
    def err_stream(self) -> Stream:
        return Stream(cast("TextIO", self._err.file) if self._err else sys.stderr, self.color, self._err)

    @property
    def out(self) -> "Console":
        return self.out_stream.console

    @property
    def err(self) -> "Console":
        return self.err_stream.console

    def print(self, line: str, style: str = "") -> None:
        """Print a line of data to standard output and flush it."""
        self._make_room()
        self.out_stream.print(line, style)
        self.out_stream.file.flush()

    def report(self, message: str, style: str = "") -> None:
        """Print a message to standard error, unless --quiet was given."""
        if self.quiet:
            return
        self._make_room()
        self.err_stream.print(message, style)

    def _make_room(self) -> None:
        if self.before_print is not None:
            self.before_print()


LINE_INTERVAL: Final = 10.0
"""Seconds between two lines of progress off a terminal."""

FIRST_AFTER: Final = 1.0
"""Seconds after which progress is shown: most runs are over by then."""

_FRAME: Final = 0.25  # seconds between two looks at the progress


class ProgressLine:
    """Shows on standard error how far a run is."""

    def __init__(self, terminal: Terminal, *, is_silent: bool, interval: float = LINE_INTERVAL) -> None:
        file = terminal.err_stream.file
        self.is_silent = is_silent
        self.is_redrawn = file.isatty() and os.environ.get("TERM") != "dumb"
        self._terminal = terminal
        self._gauge: Gauge | None = None
        self._begun = time.monotonic()
        self._interval = interval
        self._writer: ProgressWriter | None = None

    def watch(self, gauge: "Gauge") -> None:
        """Show what this function returns, which is called in the main thread, at any time."""
        self._gauge = gauge

    def show(self, now: "Progress | str") -> None:
        self._gauge = lambda: now

    def tick(self) -> None:
        """Show the figures, if it is time."""
        if self._gauge is None or self.is_silent:
            return
        if self._writer is None:
            try:
                from td_currents_cli.render.progress import ProgressWriter  # noqa: PLC0415 -- short runs do without
            except ImportError:
                # The signal came in the middle of the import of a module that it needs. The next one comes soon.
                return
            self._writer = ProgressWriter(
                self._terminal, is_redrawn=self.is_redrawn, since=self._begun, interval=self._interval
            )
        self._writer.write(self._gauge())

    def erase(self) -> None:
        """Make room for a message; the next tick draws the line again."""
        if self._writer is not None:
            self._writer.erase()


@contextmanager
def show_progress(
    terminal: Terminal, mode: When = When.auto, *, first_after: float = FIRST_AFTER, interval: float = LINE_INTERVAL
) -> Iterator[ProgressLine]:
    """Yield what shows progress on standard error until the end of the block.

    A timer signal looks at it in the main thread. So a short run pays nothing, others a few lines per second, and no
    thread is there when worker processes are forked.

    Args:
        terminal: to print on.
        mode: `auto` is silent with `--quiet`, `always` is not.
        first_after: seconds in which nothing is drawn on a terminal.
        interval: seconds between two lines elsewhere.
    """
    is_silent = mode is When.never or (mode is When.auto and terminal.quiet)
    line = ProgressLine(terminal, is_silent=is_silent, interval=interval)
    # Only the main thread receives signals.
    if is_silent or threading.current_thread() is not threading.main_thread():
        yield line
        return
    before = signal.signal(signal.SIGALRM, lambda *_: line.tick())
    signal.setitimer(signal.ITIMER_REAL, first_after, _FRAME)
    terminal.before_print = line.erase
    try:
        yield line
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        terminal.before_print = None
        line.erase()


def print_wrapped(console: "Console", message: "str | Text", style: str = "") -> None:
    """Print a message, wrapped between words on a terminal and never off one."""
    from rich.text import Text  # noqa: PLC0415 -- heavy

    shown = mask(str(message))
    # What is masked is printed without its styles: their places have moved.
    text = message if isinstance(message, Text) and shown == message.plain else Text(shown)
    if console.width < UNCLIPPED:
        text = Text("\n").join(wrapped(text, console.width))
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def print_unwrapped(console: "Console", message: str, style: str = "") -> None:
    """Print what is copied, such as a command: never wrapped, whatever the width of the terminal."""
    console.print(mask(message), style=style, markup=False, highlight=False, soft_wrap=True)


def wrapped(text: "Text", width: int) -> "Iterator[Text]":
    """Divide lines between words; a word that is too long, such as a path, stays whole: a terminal shows all of it."""
    from rich.cells import cell_len  # noqa: PLC0415 -- heavy

    for line in text.split("\n", allow_blank=True):
        breaks, used = [], 0
        for word in re.finditer(r"\s*\S+\s*", line.plain):
            if used and used + cell_len(word.group().rstrip()) > width:
                breaks.append(word.start())
                used = 0
            used += cell_len(word.group())
        for part in line.divide(breaks):
            part.rstrip()
            yield part


def print_error(error: TdcurError, terminal: Terminal) -> None:
    """Print on standard error why the run failed and what to do next."""
    from rich.text import Text  # noqa: PLC0415 -- heavy

    print_wrapped(terminal.err, Text.assemble(("error", "bold red"), f": {printable(error.message)}"))
    if error.hint:
        print_wrapped(terminal.err, Text.assemble(("hint", "bold cyan"), f": {printable(error.hint)}"))


def write_text(content: str) -> None:
    """Write content that is copied or redirected, such as SQL, to standard output: never wrapped or styled."""
    _write(f"{content}\n".encode(errors="backslashreplace"))


def write_unmasked(line: str) -> None:
    """Write a line to standard output that may have a secret in it, which the user asked to see."""
    _write(f"{line}\n".encode())


def write_json(document: Mapping[str, object], *, is_line: bool = False, unmasked: Collection[str] = ()) -> None:
    """Write one JSON document to standard output, indented or on one line; see `Outcome.unmasked`."""
    from td_currents_cli.write.formats import json_document, json_line  # noqa: PLC0415 -- as above

    encode = json_line if is_line else json_document
    content = encode(document)
    text = content.decode()
    _write(content if mask(text) == text else encode(masked(document) | {name: document[name] for name in unmasked}))


def _write(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def printable(text: str) -> str:
    r"""Escape `\n`, `\x1b` and the like in a string from the data, so that it stays on one line of a terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


LOST: Final = "lost in truncated cells"


def amount(number: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun: `1 event`, `1,200 events`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """Format a share between 0 and 1: `12.5 %`."""
    return f"{share:.1%}".replace("%", " %")


def balance_line(balance: Balance, verb: str) -> str:
    """Account for every row and event of a run on one line, leaving out what did not happen.

    Args:
        balance: of the run.
        verb: what was done to the events, such as `counted`.
    """
    others = (
        (balance.duplicates, "duplicates"),
        (balance.filtered - balance.canaries, "filtered"),
        (balance.canaries, CANARY),
        (balance.events_rejected, "rejected"),
        (balance.lost, LOST),
    )
    return format_balance(balance, balance.events_out, verb, others)


def format_balance(balance: Balance, used: int, verb: str, others: tuple[tuple[int, str], ...]) -> str:
    """Format rows and events, as an equation only where some were not used.

    Without rows, as where a table returns only ids, events alone.
    """
    rows, separator = amount(balance.rows_read, "row"), ", "
    if balance.events_read and not balance.rows_read:
        rows = separator = ""
    if balance.rows_good != balance.rows_read:
        bad = (balance.rows_truncated, "truncated"), (balance.rows_rejected, "rejected")
        rows, separator = f"{rows} read = {_sum((balance.rows_good, 'good'), bad)}", "; "
    if used == balance.events_read:
        return f"{rows}{separator}{amount(used, 'event')} {verb}"
    return f"{rows}{separator}{amount(balance.events_read, 'event')} read = {_sum((used, verb), others)}"


def _sum(first: tuple[int, str], others: Iterable[tuple[int, str]]) -> str:
    return " + ".join(f"{number:,} {what}" for number, what in (first, *(each for each in others if each[0])))


STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
SHOWN_PROBLEMS: Final = 20
"""Problems printed without --verbose."""
SHOWN_ALIKE: Final = 3
"""Those of the same rule and event type."""


def problem_line(problem: Problem) -> "Text":
    """Format a problem on one line, as `file:line:column TDC101 error message`."""
    from rich.text import Text  # noqa: PLC0415 -- as above

    return Text.assemble(
        (printable(str(problem.location)), "bold"),
        " ",
        (problem.code, "magenta"),
        " ",
        (problem.severity, STYLES[problem.severity]),
        f" {printable(problem.message)}",
    )


def print_problems(problems: Problems, terminal: Terminal) -> None:
    """Print the first problems of a run on standard error, with each hint once."""
    if not problems.total:
        return
    from rich.text import Text  # noqa: PLC0415 -- as above

    shown = problems.kept if terminal.verbose else first_problems(problems)
    hints = {""}
    for problem in shown:
        if terminal.quiet and problem.severity is not Severity.ERROR:
            continue
        print_wrapped(terminal.err, problem_line(problem))
        if problem.hint not in hints:
            print_wrapped(terminal.err, Text.assemble(("hint", "bold cyan"), f": {printable(problem.hint)}"))
            hints.add(problem.hint)
    if problems.total > len(shown):
        more = amount(problems.total - len(shown), "more problem")
        terminal.report(f"… and {more}{'' if terminal.verbose else '; --verbose shows more'}", "dim")


def first_problems(problems: Problems) -> Sequence[Problem]:
    """The problems that people are shown first."""
    return list(islice(_first_alike(problems.kept), SHOWN_PROBLEMS))


def _first_alike(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Leave out problems of events after the first few with the same rule and event type."""
    seen: Counter[tuple[Code, str]] = Counter()
    for problem in problems:
        if problem.event_type is not None:
            kind = problem.code, problem.event_type
            seen[kind] += 1
            if seen[kind] > SHOWN_ALIKE:
                continue
        yield problem
