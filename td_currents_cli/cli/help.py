"""`tdcur help`: all commands, the help of one, or a topic."""

from collections.abc import Callable
from typing import Any, Final

import typer

from td_currents_cli.cli import complete
from td_currents_cli.cli.command import CliCommand, PanelCommand
from td_currents_cli.cli.groups import COMMANDS, TOPICS
from td_currents_cli.cli.help_page import command_page, page, shows_color
from td_currents_cli.cli.parameters import choices_of

# ruff: noqa: PLC0415 -- a topic imports only what it is about


def _exit_codes(_root: Any) -> str:  # noqa: ANN401 -- Typer's types are private
    from td_currents_cli.errors import EXIT_MEANINGS

    return page(
        "Exit codes of all commands.",
        sections={"Exit codes": [(str(int(code)), meaning) for code, meaning in EXIT_MEANINGS.items()]},
    )


def _environment(_root: Any) -> str:  # noqa: ANN401 -- as above
    from td_currents_cli.config import VARIABLES

    return page(
        "Options take precedence over environment variables, and these over settings files; `tdcur config` shows what "
        "applies. Secrets belong in variables or files, because other users can see command lines.",
        sections={"Environment variables": [(each.name, each.meaning) for each in VARIABLES]},
    )


def _formats(root: Any) -> str:  # noqa: ANN401 -- as above
    from td_currents_cli.read.options import COMPRESSIONS, FORMAT_MEANINGS

    outputs = [
        (name, f"{each.opts[0]} {', '.join(choices_of(each))}")
        for name in COMMANDS
        for each in root.command.get_command(root, name).params
        if each.name in {"output_format", "to", "shape"}
    ]
    return page(
        "Input formats are detected from the contents, whatever the names of the files. "
        f"So are compression ({' '.join(COMPRESSIONS).strip()}, also zip archives), UTF-16, and UTF-32.",
        sections={
            "Input formats (--from)": [(form, meaning) for form, meaning in FORMAT_MEANINGS.items()],
            "Output formats": outputs,
        },
    )


_PAGES: Final[dict[str, Callable[[Any], str]]] = {
    "environment": _environment,
    "exit-codes": _exit_codes,
    "formats": _formats,
}
"""The page of each topic, made with the context of `tdcur`."""


def _run(
    context: typer.Context,
    topic: str = typer.Argument(
        "",
        metavar="COMMAND|TOPIC",
        autocompletion=complete.topics,
        help="What to explain.",
        show_default="all commands",
    ),
) -> None:
    """Show the help of a command, or a topic."""
    root: Any = context.parent
    root.color = shows_color()
    if not topic:
        typer.echo(root.get_help(), color=root.color)
    elif topic in COMMANDS:
        found = root.command.get_command(root, topic)
        typer.echo(command_page(found, typer.Context(found, info_name=topic, parent=root)), color=root.color)
    elif topic in TOPICS:
        typer.echo(_PAGES[topic](root), color=root.color)
    else:
        from td_currents_cli.cli.usage import unknown_command

        raise unknown_command(topic, of_help=True)


show_help: Final = CliCommand(
    _run,
    ("tdcur help count", "tdcur help exit-codes"),
    no_args_is_help=False,
    typer_class=PanelCommand,
)
