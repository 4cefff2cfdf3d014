"""Which options the user gave: some have no meaning beside others, also where they say what holds anyway."""

from collections.abc import Collection
from typing import TYPE_CHECKING, TypeAlias

from td_currents_cli.errors import UsageError

if TYPE_CHECKING:
    import typer

Given: TypeAlias = frozenset[str]
"""Names of options, such as `--since`; of one with several, the long one."""


def given_in(context: "typer.Context") -> Given:
    """The options on a command line."""
    sources = {
        max(each.opts, key=len): context.get_parameter_source(each.name or "") for each in context.command.params
    }
    return frozenset(
        name for name, source in sources.items() if name[:2] == "--" and source and source.name == "COMMANDLINE"
    )


def refuse(given: Collection[str], where: str, hint: str) -> None:
    """Check that no option was given that has no meaning.

    Args:
        given: those of them that were given.
        where: they have none, as the subject of a sentence.
        hint: what to do.

    Raises:
        UsageError: one was given.
    """
    for option in sorted(given):
        raise UsageError(f"{where} has no use for {option}", hint=hint)
