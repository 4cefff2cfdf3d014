"""Options that take several values in a row, as the shell expands `--sent *.jsonl`."""

from collections.abc import Iterable, Sequence
from typing import Any

import typer

from td_currents_cli.cli.common import PanelCommand


def repeat_options(arguments: Sequence[str], options: Iterable[str]) -> list[str]:
    """Repeat an option before each of its values: `--sent a --sent b` for `--sent a b`.

    An option takes every value up to the next option.

    Raises:
        typer.BadParameter: an option has no value.
    """
    names, missing = frozenset(options), ""
    current: str | None = None
    repeated: list[str] = []
    for argument in (*arguments, "--end"):
        is_option = argument.startswith("-") and argument != "-"
        if is_option and missing:
            raise typer.BadParameter("requires a path", param_hint=missing)
        if not is_option:
            repeated += [argument] if current is None else [current, argument]
            missing = ""
            continue
        name, equals, _value = argument.partition("=")
        current = name if name in names else None
        missing = name if current and not equals else ""
        repeated += [] if missing else [argument]
    return repeated[:-1]


class MultiValueCommand(PanelCommand):
    """A command without arguments, whose repeatable options take several values each."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- Typer's private Context
        multiple = [name for option in self.params if option.multiple for name in option.opts]
        return super().parse_args(ctx, repeat_options(args, multiple))
