"""The help of every command: panels, environment variables, and examples that work."""

import re
import shlex
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from td_currents_cli.cli.app import app, load_command
from td_currents_cli.cli.command import Panel
from td_currents_cli.cli.groups import COMMANDS, GROUPS, TOPICS
from td_currents_cli.cli.parameters import shown_names
from td_currents_cli.config import VARIABLES
from td_currents_cli.errors import ExitCode
from td_currents_cli.read.options import InputFormat
from td_currents_cli.render import renderers_of

ENVIRONMENT = {
    ("send", "--url"): "TDCUR_URL",
    ("send", "--write-key-file"): "TD_WRITE_KEY",
    ("send", "--token-file"): "TDCUR_TOKEN",
    ("send", "--cacert"): "SSL_CERT_FILE",
    ("send", "--journal"): "TDCUR_JOURNAL",
    ("send", "--api-key-file"): "TD_API_KEY",
    ("serve", "--write-key-file"): "TD_WRITE_KEY",
    ("url", "--write-key-file"): "TD_WRITE_KEY",
    ("watch", "--write-key-file"): "TD_WRITE_KEY",
    ("watch", "--api-key-file"): "TD_API_KEY",
    **{(command, "--site"): "TD_API_SERVER" for command in ("count", "parse", "reconcile", "verify")},
    **{(command, "--api-key-file"): "TD_API_KEY" for command in ("count", "parse", "reconcile", "verify")},
}


def command_of(name: str) -> Any:
    group: Any = get_command(app)
    return group.get_command(None, name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_a_panel(name: str) -> None:
    command = command_of(name)
    context: Any = command.make_context(name, [], resilient_parsing=True)
    options = [each for each in command.get_params(context) if each.param_type_name == "option"]
    assert {each.rich_help_panel for each in options} <= set(Panel)


@pytest.mark.parametrize(("name", "option"), ENVIRONMENT)
def test_options_show_their_environment_variable(name: str, option: str) -> None:
    (found,) = [each for each in command_of(name).params if option in each.opts]
    assert f"[env: {ENVIRONMENT[name, option]}]" in found.help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_examples_of_a_line_each(name: str) -> None:
    """They can be copied, whatever the width, and their options exist."""
    command = load_command(name)
    assert command
    examples = command.examples
    assert examples
    assert max(map(len, examples)) <= 78  # on a terminal of 80 columns, each is on one line
    printed = helped(name, "--help", columns=40)
    assert printed.endswith("Examples:\n" + "".join(f"  {example}\n" for example in examples))
    for example in examples:
        words = shlex.split(example.partition(" | ")[0].partition(" > ")[0])
        assert words[:2] == ["tdcur", name]
        known = {option for each in command_of(name).params for option in shown_options(each)}
        assert {word for word in words if word.startswith("-") and word != "-7d"} <= known


def helped(*arguments: str, columns: int = 80) -> str:
    run = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns)})
    assert run.exit_code == 0
    return run.stdout


def shown_options(parameter: Any) -> list[str]:
    return shown_names(parameter) if parameter.param_type_name == "option" else []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_and_breaks_between_words(name: str) -> None:
    """Also on a terminal of 80 columns, where the first line of each command is not wrapped."""
    pages = {columns: helped(name, "--help", columns=columns) for columns in (80, 100, 300)}
    assert pages[300] == pages[100]
    for columns, text in pages.items():
        prose = text.partition("Examples:")[0]
        assert max(map(len, prose.splitlines())) <= min(columns, 100)
        words = set(re.split(r"[\s,\[\]]+", text))
        params = [each for each in command_of(name).params if not each.hidden]
        assert {choice for each in params for choice in getattr(each.type, "choices", ())} <= words
        assert {option for each in params for option in shown_options(each)} <= words
        assert not re.search(r"x>=|<str>|\\", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_has_the_first_line_of_each_command(name: str) -> None:
    (summary,) = [group[name] for group in GROUPS.values() if name in group]
    assert command_of(name).help.partition("\n\n")[0] == summary
    assert f"  {name} " in helped("--help")
    assert summary + "\n" in helped("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_that_of_its_option(name: str) -> None:
    assert helped("help", name) == helped(name, "--help") == helped(name, "-h")
    assert helped("help") == helped("--help")
    assert "  -h, --help " in helped("help")
    assert "  -h, --help " in helped("help", name)


def test_send_begins_with_the_destination() -> None:
    headings = re.findall(r"^(\w[\w ]*):$", helped("send", "--help"), re.MULTILINE)
    assert headings[:3] == ["Destination", "Arguments", "Output"]


def test_topics() -> None:
    """Each is in the overview, and what it says is what the program has."""
    assert all(f"  {topic} " in helped("help") for topic in TOPICS)
    codes = helped("help", "exit-codes")
    assert all(re.search(rf"^  {int(code)} +\w", codes, re.MULTILINE) for code in ExitCode)
    named = {name for command in COMMANDS for name in re.findall(r"\[env: ([^\]]+)\]", helped(command, "--help"))}
    known = {each.name for each in VARIABLES}
    assert {name for names in named for name in names.split(", ")} <= known
    assert all(f"  {name} " in helped("help", "environment") for name in known)
    formats = helped("help", "formats")
    assert all(f"  {form.value} " in formats for form in InputFormat)
    assert "--format text, concise, grouped, json, jsonl" in formats


OLD_NAMES = {
    "count": {"--top": "--limit"},
    "validate": {"--max-findings": "--limit"},
    "reconcile": {"--show": "--limit", "--resend": "--missing-file", "--journal": "--from-journal"},
    "verify": {"--journal": "--from-journal"},
    "generate": {"-n": "--events"},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_old_names_are_hidden_aliases(name: str) -> None:
    options = [each for each in command_of(name).params if each.param_type_name == "option"]
    hidden = {old: shown_names(each)[-1] for each in options for old in set(each.opts) - set(shown_names(each))}
    assert hidden == OLD_NAMES.get(name, {})
    assert not [old for old in hidden if re.search(rf"(?<!send ){old}\b", helped(name, "--help"))]
    assert all(shown_names(each) == ["-n", "--dry-run"] for each in options if "-n" in shown_names(each))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_format_has_a_renderer(name: str) -> None:
    if name == "help":
        return  # it prints by itself
    formats = [each for each in command_of(name).params if "--format" in each.opts]
    choices = set(formats[0].type.choices) if formats else {"text"}
    assert set(renderers_of(name)) == {str(each) for each in choices} - {"json"}
