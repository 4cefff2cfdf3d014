"""Pages of help: sections of two columns, up to 100 columns wide, which break only between words."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import typer

from td_currents_cli.choices import When, wants_color
from td_currents_cli.cli.groups import GROUPS, TOPICS
from td_currents_cli.cli.parameters import choices_of, shown_names
from td_currents_cli.patterns import pattern

MAX_WIDTH: Final = 100
_LEFT_WIDTH: Final = 30
"""Of the left column; the text of a longer entry begins on a line of its own."""

_GLUED: Final = pattern(r"`[^`]{,40}`|\[(?:env|default|choices): [^\]]{,30}\]")
_TYPES: Final = {"int": "INTEGER", "float": "NUMBER", "path": "FILE"}

Sections: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]
"""Pairs of a name and its explanation, by their heading."""


def overview(about: str, options: list[Any]) -> str:
    """Lay out the help of all commands."""
    sections: Sections = {
        **{title: list(commands.items()) for title, commands in GROUPS.items()},
        "Topics": list(TOPICS.items()),
        "Options": [(signature(each), explanation(each)) for each in options if not each.hidden],
    }
    end = "`tdcur help COMMAND` or `tdcur help TOPIC` tells more. To begin, run `tdcur demo`."
    return page(about, sections, usage="tdcur [OPTIONS] COMMAND [ARGUMENTS]", end=end)


def command_page(command: Any, context: Any) -> str:  # noqa: ANN401 -- Typer's types are private
    """Lay out the help of a command: what it is for, its usage, destination, arguments and options, and examples."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for each in command.get_params(context):
        if each.param_type_name == "argument":
            sections.setdefault("Arguments", []).append((each.metavar, explanation(each)))
        elif not each.hidden:
            sections.setdefault(each.rich_help_panel, []).append((signature(each), explanation(each)))
    ordered = dict(sorted(sections.items(), key=lambda section: (section[0] != "Destination", section[0] == "General")))
    usage = usage_of(command, context.command_path)
    return page(command.help, ordered, usage=usage, examples=(command.epilog or "").splitlines())


def usage_of(command: Any, path: str) -> str:  # noqa: ANN401 -- as above
    arguments = [(each.metavar, each.required) for each in command.params if each.param_type_name == "argument"]
    return " ".join([path, "[OPTIONS]", *(name if is_required else f"[{name}]" for name, is_required in arguments)])


def page(text: str, sections: Sections, *, usage: str = "", examples: Iterable[str] = (), end: str = "") -> str:
    """Lay out a page of help, with colors if standard output shows them."""
    summary, _, rest = text.partition("\n\n")
    parts = [_paragraph(summary)]
    parts += [f"{_title('Usage')} {usage}"] if usage else []
    parts += [_paragraphs(rest)] if rest else []
    names = [name for rows in sections.values() for name, _ in rows if len(name) <= _LEFT_WIDTH]
    for title, rows in sections.items():
        # Options are aligned with each other, and so is all that has shorter names.
        left = max((len(name) for name in names if ("--" in name) == ("--" in rows[0][0])), default=_LEFT_WIDTH)
        parts.append("\n".join([_title(title), *(_row(name, about, left) for name, about in rows)]))
    if lines := [f"  {example}" for example in examples]:
        parts.append("\n".join([_title("Examples"), *lines]))
    return "\n\n".join([*parts, *([_paragraph(end)] if end else [])])


def shows_color() -> bool:
    return wants_color(When.auto, is_terminal=sys.stdout.isatty())


def signature(option: Any) -> str:  # noqa: ANN401 -- as above
    """Return the names of an option and its value: `-o, --output FILE`."""
    names = shown_names(option)
    short = "    " if len(names) == 1 else f"{names[0]}, "
    value = value_of(option)
    return f"{short}{names[-1]}{value and ' '}{value}"


def value_of(option: Any) -> str:  # noqa: ANN401 -- as above
    """Return the name or the type of an option's value; empty for a flag."""
    if option.is_flag:
        return ""
    if option.metavar or choices_of(option):
        return str(option.metavar or shown_names(option)[-1].strip("-").replace("-", "_").upper())
    return _TYPES.get(option.type.name.removesuffix(" range"), "TEXT")


def explanation(parameter: Any) -> str:  # noqa: ANN401 -- as above
    """Return the help of an option or argument, with its choices and default, on one line."""
    choices, default = choices_of(parameter), default_of(parameter)
    is_required = parameter.required and parameter.param_type_name == "option"
    parts = [
        " ".join((parameter.help or "").split()),
        f"[choices: {', '.join(choices)}]" if choices else "",
        f"[default: {default}]" if default else "",
        "[required]" if is_required else "",
    ]
    return " ".join(filter(None, parts))


def default_of(parameter: Any) -> str:  # noqa: ANN401 -- as above
    """Return what applies without an option or argument; empty if nothing does."""
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    default = parameter.default
    if not parameter.show_default or default is None or default is False or default in ("", ()):
        return ""
    return f"{default:g}" if isinstance(default, float) else str(getattr(default, "value", default))


def _width() -> int:
    return max(40, min(shutil.get_terminal_size((MAX_WIDTH, 0)).columns, MAX_WIDTH))


def _wrap(text: str, *, first: str = "", rest: str = "") -> str:
    glued = _GLUED.sub(lambda match: match[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(
        glued,
        _width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\0", " ")


def _row(name: str, about: str, left: int) -> str:
    indent = " " * (left + 4)
    shown = _styled(name, fg="cyan") + " " * max(0, left - len(name))
    if not about:
        return f"  {shown}".rstrip()
    text = _wrap(about, first=indent, rest=indent)
    return f"  {shown}\n{text}" if len(name) > left else f"  {shown}  {text[left + 4 :]}"


def _paragraphs(text: str) -> str:
    return "\n\n".join(_paragraph(each) for each in text.split("\n\n"))


def _paragraph(text: str) -> str:
    if text.startswith("- "):
        items = text[2:].split("\n- ")
        return "\n".join(_wrap(" ".join(item.split()), first="- ", rest="  ") for item in items)
    return _wrap(" ".join(text.split()))


def _title(text: str) -> str:
    return _styled(f"{text}:", bold=True)


def _styled(text: str, **style: Any) -> str:  # noqa: ANN401 -- as above
    return typer.style(text, **style) if shows_color() else text
