"""Standard output and standard error as rich consoles that behave alike on terminals, in pipes and in CI logs."""

import errno
import os
import sys
from enum import StrEnum
from functools import partial
from io import BufferedWriter, RawIOBase, TextIOWrapper
from typing import TYPE_CHECKING, TextIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    _MayBeConsole: TypeAlias = Console | Callable[[], Console]

UNCLIPPED = 10_000
"""Columns of a console that is not a terminal: tables take the width they need."""


class Color(StrEnum):
    """When to use colour."""

    auto = "auto"
    always = "always"
    never = "never"


class Terminal:
    """Where a command prints: data to `out`, talk to `err`.

    Attributes:
        color: when colour is wanted.
        quiet: nothing but errors and data is wanted.
        verbose: more than usual is wanted.
    """

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
        """The process's own standard output and standard error."""
        # Rich is loaded when something is printed with it: scripts that ask for JSON need not wait for it.
        out, err = (partial(_console, stream, color) for stream in (sys.stdout, sys.stderr))
        return cls(out, err, color=color, quiet=quiet, verbose=verbose)

    @property
    def out(self) -> "Console":
        """Standard output."""
        if callable(self._out):
            self._out = self._out()
        return self._out

    @property
    def err(self) -> "Console":
        """Standard error."""
        if callable(self._err):
            self._err = self._err()
        return self._err

    def show(self, text: str, style: str = "") -> None:
        """Print one line of data to standard output, at once."""
        self.out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
        self.out.file.flush()

    def say(self, text: str, style: str = "") -> None:
        """Print one line of talk to standard error, unless quiet was asked for."""
        if not self.quiet:
            self.err.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def buffer_output() -> None:
    """Give standard output a buffer where it has none, as under PYTHONUNBUFFERED, which many containers set.

    A write to a bare file may take a part of the data without an error, when the reader of a pipe goes away or a disk
    is full: a buffer writes all or fails.
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
    r"""Text that came from data, for one line of a terminal: `\n`, `\x1b` and the like as escapes."""
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
        # A name in the data that the terminal's encoding does not have is no reason to stop.
        stream.reconfigure(errors="backslashreplace")
    is_terminal = stream.isatty()
    colored = _wants_color(color, is_terminal=is_terminal)
    return PlainConsole(
        file=stream,
        # Not left to rich: it takes GITHUB_ACTIONS for a terminal even under NO_COLOR.
        force_terminal=colored or is_terminal,
        # Without colour there is no bold either: `--color never` and TERM=dumb mean plain text.
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
