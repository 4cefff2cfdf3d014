"""What is said while Treasure Data is waited for: one line that changes on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from td_currents_cli.render.send_progress import When
from td_currents_cli.render.terminal import Terminal

N = TypeVar("N")


@contextmanager
def waiting(
    terminal: Terminal,
    when: When,
    line: Callable[[N], str],
    plainly: Callable[[N], None],
    stays: Callable[[N], bool] = lambda _: False,
) -> Iterator[Callable[[N], None]]:
    """A function that is told what is new, and shows it until the end of the block.

    Args:
        terminal: its standard error is where to.
        when: `auto` is silent where `--quiet` was given, `always` is not.
        line: what is new as one line, for a terminal.
        plainly: shows it elsewhere.
        stays: whether it is still to be seen on a terminal when something else is new.
    """
    console = terminal.err
    if when is When.never or (when is When.auto and terminal.quiet):
        yield lambda _: None
    elif console.file.isatty() and not console.is_dumb_terminal:
        # It vanishes at the end: what comes of it all is what matters then.
        with console.status("asking Treasure Data") as status:
            yield lambda news: say(terminal, line(news)) if stays(news) else status.update(line(news))
    else:
        yield plainly


def say(terminal: Terminal, text: str) -> None:
    """Print a line to standard error, whether or not quiet was asked for."""
    terminal.err.print(text, markup=False, highlight=False, soft_wrap=True)
