"""Lines that fit a terminal: wrapped next to a margin, and without spaces at their ends."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console, RenderableType
from rich.text import Text

from td_currents_cli.render.terminal import print_wrapped, wrapped
from td_currents_cli.secrets import mask

NARROWEST: Final = 20
"""Minimum width of what is next to a margin, however narrow the terminal is."""


def hanging(margin: Text, line: Text, console: Console) -> Iterator[Text]:
    """Put a line next to a margin; on a terminal, wrap it between words, and indent what follows."""
    hidden = mask(line.plain)
    if hidden != line.plain:  # before a secret is divided
        line = Text(hidden)
    room = max(console.width - margin.cell_len, NARROWEST)
    fits = not console.is_terminal or line.cell_len <= room
    for part in (line,) if fits else wrapped(line, room):
        part.rstrip()
        yield Text.assemble(margin, part)
        margin = Text(" " * margin.cell_len)


def print_hanging(margin: Text | str, line: Text | str, console: Console) -> None:
    """Print a line next to a margin; see `hanging`."""
    for each in hanging(Text.assemble(margin), Text.assemble(line), console):
        print_wrapped(console, each)


def print_trimmed(table: RenderableType, console: Console, width: int | None = None) -> None:
    """Print a table, of a width or as wide as the console, without spaces at the ends of its lines."""
    options = console.options.update(width=width or console.width)
    lines = []
    for segments in console.render_lines(table, options, pad=False):
        line = Text.assemble(*((each.text, each.style or "") for each in segments))
        line.rstrip()
        lines.append(line)
    console.print(Text("\n").join(lines), soft_wrap=True)
