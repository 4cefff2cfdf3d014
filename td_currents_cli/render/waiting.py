"""Progress while Treasure Data is queried: one line that changes on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from td_currents_cli.render.terminal import ProgressMode, Terminal, print_wrapped

N = TypeVar("N")


@contextmanager
def show_waiting(
    terminal: Terminal,
    mode: ProgressMode,
    format_line: Callable[[N], str],
    print_update: Callable[[N], None],
    stays: Callable[[N], bool] = lambda _: False,
) -> Iterator[Callable[[N], None]]:
    """Yield a function that shows updates on standard error until the end of the block.

    Args:
        terminal: to print on.
        mode: `auto` is silent with `--quiet`, `always` is not.
        format_line: formats an update as one line, for a terminal.
        print_update: prints an update elsewhere.
        stays: whether an update stays on the terminal when the next one is shown.
    """
    console = terminal.err
    if mode is ProgressMode.never or (mode is ProgressMode.auto and terminal.quiet):
        yield lambda _: None
    elif console.file.isatty() and not console.is_dumb_terminal:
        # The line disappears at the end, when the outcome is printed.
        with console.status("querying Treasure Data") as status:

            def update(news: N) -> None:
                if stays(news):
                    print_wrapped(console, format_line(news))
                else:
                    status.update(format_line(news))

            yield update
    else:
        yield print_update
