"""Options that take several values one after another, as the shell makes of `--sent *.jsonl`."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

STDIN: Final = "-"

Sent = Annotated[
    list[str] | None,
    typer.Option(
        "--sent", metavar="PATH…", help="What was sent: files, folders, globs, or -. Several may follow one --sent."
    ),
]


def repeated(arguments: Sequence[str], options: Iterable[str]) -> list[str]:
    """Arguments with the option before each of its values: `--sent a --sent b` for `--sent a b`.

    An option takes all that follows it up to the next option.

    Raises:
        typer.BadParameter: nothing follows one of them.
    """
    names, wanted = frozenset(options), ""
    current: str | None = None
    spread: list[str] = []
    for argument in (*arguments, "--end"):
        is_option = argument.startswith("-") and argument != STDIN
        if is_option and wanted:
            raise typer.BadParameter("a path has to follow it", param_hint=wanted)
        if not is_option:
            spread += [argument] if current is None else [current, argument]
            wanted = ""
            continue
        name, equals, _value = argument.partition("=")
        current = name if name in names else None
        wanted = name if current and not equals else ""
        spread += [] if wanted else [argument]
    return spread[:-1]


class TakesSeveral(TyperCommand):
    """A command whose repeatable path options take several paths each. It has no arguments beside its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- the type is Typer's private Context
        """Options and their values, read as Typer reads them."""
        several = [name for option in self.params if option.multiple for name in option.opts]
        return super().parse_args(ctx, repeated(args, several))
