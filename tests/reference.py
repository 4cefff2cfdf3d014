"""Writes what the program knows of itself: the reference pages and the man page.

Run `python -m tests.reference` after a change of commands, rules, or the catalog; a test compares.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from td_currents_cli import __version__, catalog
from td_currents_cli.cli.app import CONTEXT_SETTINGS, load_command
from td_currents_cli.cli.groups import COMMANDS
from td_currents_cli.cli.help_page import explanation, signature, usage_of
from td_currents_cli.validate.list_rules import Family
from td_currents_cli.validate.rules import RULES

DOCS: Final = Path(__file__).parents[1] / "docs"
NOTE: Final = "<!-- Written by `python -m tests.reference`: change the program instead. -->"


def commands() -> Iterator[tuple[str, Any]]:
    for name in COMMANDS:
        command = load_command(name)
        assert command, name
        yield name, command.build(name, CONTEXT_SETTINGS)


def pages() -> dict[Path, str]:
    """All generated files with their content."""
    return {
        DOCS / "reference" / "commands.md": commands_page(),
        DOCS / "reference" / "rules.md": rules_page(),
        DOCS / "reference" / "event-types.md": event_types_page(),
        DOCS / "man" / "tdcur.1": man_page(),
    }


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [header, ("---",) * len(header), *(tuple(cell.replace("|", r"\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def options_of(command: Any) -> list[tuple[str, str, str]]:
    """Panel, declaration, and help of the visible options."""
    found = []
    for option in command.params:
        if option.param_type_name != "option" or option.hidden:
            continue
        found.append((str(option.rich_help_panel), signature(option).strip(), explanation(option)))
    return found


def examples_of(command: Any) -> list[str]:
    return (command.epilog or "").splitlines()


def commands_page() -> str:
    parts = [
        NOTE,
        "# Commands",
        "`tdcur COMMAND --help` prints the same. Options that all commands have are listed once.",
    ]
    common: list[tuple[str, str, str]] | None = None
    for name, command in commands():
        parts += [f"## tdcur {name}", *re.split(r"\n\s*\n", command.help.strip())]
        parts.append(f"```text\n{usage_of(command, f'tdcur {name}')}\n```")
        options = options_of(command)
        common = common or [each for each in options if re.search("--(quiet|verbose|color)", each[1])]
        rows = [each for each in options if each not in common]
        for panel, group in groupby(sorted(rows, key=lambda each: order(rows, each[0])), key=lambda each: each[0]):
            parts += [f"**{panel}**", table(("option", "meaning"), ((f"`{o}`", escape(h)) for _, o, h in group))]
        if examples := examples_of(command):
            parts.append("```sh\n" + "\n".join(examples) + "\n```")
    parts += ["## Options of all commands", table(("option", "meaning"), ((f"`{o}`", h) for _, o, h in common or ()))]
    return "\n\n".join(parts) + "\n"


def order(rows: list[tuple[str, str, str]], panel: str) -> int:
    return next(place for place, row in enumerate(rows) if row[0] == panel)


def escape(text: str) -> str:
    return re.sub(r"([*_<])", r"\\\1", text)


def rules_page() -> str:
    parts = [NOTE, "# Rules", "What `tdcur validate` checks. `tdcur rules CODE` explains a rule at the prompt."]
    for family in Family:
        rules = [rule for rule in RULES.values() if Family.of(rule.code) is family]
        parts.append(f"## {family.name}: {family.value}")
        for rule in rules:
            parts += [f"### {rule.code} {rule.name}", f"*{rule.severity}.* {rule.why}", f"**Fix.** {rule.fix}"]
            examples = [(title, text) for title, text in (("Bad", rule.bad), ("Good", rule.good)) if text]
            parts += [f"{title}:\n\n```text\n{text}\n```" for title, text in examples]
    return "\n\n".join(parts) + "\n"


def event_types_page() -> str:
    braze = catalog.load()
    rows = [
        (f"`{each.name}`", each.category, str(len(each.fields)), "yes" if each.http else "no")
        for each in braze.events.values()
    ]
    return "\n\n".join(
        [
            NOTE,
            "# Event types",
            (
                f"The {len(rows)} event types of Braze Currents release {braze.release}. `tdcur events TYPE` lists the "
                "fields of a type, and `tdcur events --format json` everything."
            ),
            table(("event type", "category", "fields", "over HTTP"), rows),
        ]
    )


def man_page() -> str:
    """The manual in roff, for man(1)."""
    lines = [
        f'.TH TDCUR 1 "" "tdcur {__version__}" "User Commands"',
        ".nh",  # no hyphens in names that are copied
        ".ad l",
        ".SH NAME",
        "tdcur \\- Braze Currents events for Treasure Data",
        ".SH SYNOPSIS",
        ".B tdcur",
        "COMMAND [OPTIONS]",
        ".SH COMMANDS",
    ]
    for name, command in commands():
        lines += [f".SS tdcur {name}", *paragraphs(command.help)]
        for _, option, text in options_of(command):
            lines += [".TP", f"\\fB{roff(option)}\\fR", roff(text)]
        for example in examples_of(command):
            lines += [".PP", f".RS\n{roff(example)}\n.RE"]
    return "\n".join(lines) + "\n"


def paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*(?:\n|(?=- ))", text.strip()):
        words = " ".join(paragraph.split())
        yield ".IP \\(bu 2" if words.startswith("- ") else ".PP"
        yield roff(words.removeprefix("- "))


def roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    # What the C locale lacks.
    escaped = escaped.replace("…", "...").replace("±", "\\[+-]")
    return re.sub(r"^([.'])", r"\\&\1", escaped)


if __name__ == "__main__":
    for path, content in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
