"""Options given explicitly on the command line: some cannot be combined, even when set to their default."""

from collections.abc import Collection
from typing import TYPE_CHECKING, TypeAlias

from td_currents_cli.errors import UsageError

if TYPE_CHECKING:
    import typer

ExplicitOptions: TypeAlias = frozenset[str]
"""Long option names, such as `--since`."""


def explicit_options(context: "typer.Context") -> ExplicitOptions:
    """Collect the options that were given on the command line."""
    sources = {
        max(each.opts, key=len): context.get_parameter_source(each.name or "") for each in context.command.params
    }
    return frozenset(
        name for name, source in sources.items() if name[:2] == "--" and source and source.name == "COMMANDLINE"
    )


def refuse(unusable: Collection[str], what: str, hint: str) -> None:
    """Check that no option was given that cannot be used with `what`.

    Raises:
        UsageError: naming the first of the unusable options, with the hint.
    """
    for option in sorted(unusable):
        raise UsageError(f"{option} cannot be used with {what}", hint=hint)
