"""Standard output and standard error as rich consoles that work alike on terminals, in pipes, and in CI logs."""

import errno
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from io import BufferedWriter, RawIOBase, TextIOWrapper
from typing import TYPE_CHECKING, TextIO, TypeAlias

from td_currents_cli.errors import TdcurError
from td_currents_cli.write.formats import json_document, json_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.text import Text

    _MayBeConsole: TypeAlias = Console | Callable[[], Console]

UNCLIPPED = 10_000
"""Columns of a console that is not a terminal: tables take the width that they need."""


class Color(StrEnum):
    """When to use color."""

    auto = "auto"
    always = "always"
    never = "never"


class ProgressMode(StrEnum):
    """When to show progress."""

    auto = "auto"
    always = "always"
    never = "never"


class Terminal:
    """Where a command prints: data to `out`, messages to `err`."""

    def __init__(
        self,
        out: "_MayBeConsole",
        err: "_MayBeConsole",
        *,
        color: Color = Color.auto,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self._out = out
        self._err = err
        self.color = color
        self.quiet = quiet
        self.verbose = verbose

    @classmethod
    def open(cls, *, color: Color = Color.auto, quiet: bool = False, verbose: bool = False) -> "Terminal":
        """Open the standard output and standard error of this process."""
        # Rich is loaded when something is printed with it: scripts that request JSON need not wait for it.
        out, err = (partial(_console, stream, color) for stream in (sys.stdout, sys.stderr))
        return cls(out, err, color=color, quiet=quiet, verbose=verbose)

    @property
    def out(self) -> "Console":
        if callable(self._out):
            self._out = self._out()
        return self._out

    @property
    def err(self) -> "Console":
        if callable(self._err):
            self._err = self._err()
        return self._err

    def print(self, line: str, style: str = "") -> None:
        """Print a line of data to standard output and flush it."""
        print_wrapped(self.out, line, style)
        self.out.file.flush()

    def report(self, message: str, style: str = "") -> None:
        """Print a message to standard error, unless --quiet was given."""
        if not self.quiet:
            print_wrapped(self.err, message, style)


def print_wrapped(console: "Console", message: "str | Text", style: str = "") -> None:
    """Print a message, wrapped between words on a terminal and never off one."""
    console.print(message, style=style, markup=False, highlight=False, soft_wrap=console.width >= UNCLIPPED)


def print_error(error: TdcurError, terminal: Terminal) -> None:
    """Print on standard error why the run failed and what to do next."""
    from rich.text import Text  # noqa: PLC0415 -- heavy

    print_wrapped(terminal.err, Text.assemble(("error", "bold red"), f": {printable(error.message)}"))
    if error.hint:
        print_wrapped(terminal.err, Text.assemble(("hint", "bold cyan"), f": {printable(error.hint)}"))


def write_text(content: str) -> None:
    """Write content that is copied or redirected, such as SQL, to standard output: never wrapped or styled."""
    _write(f"{content}\n".encode(errors="backslashreplace"))


def write_json(document: Mapping[str, object]) -> None:
    """Write one JSON document to standard output."""
    _write(json_document(document))


def write_json_line(document: Mapping[str, object]) -> None:
    """Write one JSON document to standard output, on one line."""
    _write(json_line(document))


def _write(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def buffer_output() -> None:
    """Give standard output a buffer if it has none, as with PYTHONUNBUFFERED, which many containers set.

    An unbuffered write may write part of the data without an error when the reader of a pipe exits or a disk is full: a
    buffer writes everything or fails.
    """
    stream = sys.stdout
    if isinstance(stream, TextIOWrapper) and isinstance(raw := stream.buffer, RawIOBase):
        sys.stdout = TextIOWrapper(
            BufferedWriter(raw),
            encoding=stream.encoding,
            errors=stream.errors,
            newline="\n",
            line_buffering=True,
        )


def printable(text: str) -> str:
    r"""Escape `\n`, `\x1b` and the like in a string from the data, so that it stays on one line of a terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _console(stream: TextIO, color: Color) -> "Console":
    from rich.console import Console  # noqa: PLC0415 -- heavy; `--version` does without

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the process with exit code 1: that is for the command line to decide.
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    if isinstance(stream, TextIOWrapper):
        # A character that the encoding of the terminal lacks must not stop the run.
        stream.reconfigure(errors="backslashreplace")
    is_terminal = stream.isatty()
    colored = _wants_color(color, is_terminal=is_terminal)
    return PlainConsole(
        file=stream,
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


def _wants_color(color: Color, *, is_terminal: bool) -> bool:
    if color is not Color.auto:
        return color is Color.always
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal or bool(os.environ.get("FORCE_COLOR"))
