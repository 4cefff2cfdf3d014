"""The help of every command: panels, environment variables, and examples that work."""

import shlex
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from td_currents_cli.cli.app import COMMANDS, app, load_command
from td_currents_cli.cli.command import Panel
from td_currents_cli.render import renderers_of

ENVIRONMENT = {
    ("send", "--url"): "TDCUR_URL",
    ("send", "--write-key-file"): "TD_WRITE_KEY",
    ("send", "--token-file"): "TDCUR_TOKEN",
    ("send", "--cacert"): "SSL_CERT_FILE",
    ("send", "--journal"): "TDCUR_JOURNAL",
    ("send", "--api-key-file"): "TD_API_KEY",
    ("serve", "--write-key-file"): "TD_WRITE_KEY",
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
    """They are short enough for a terminal of 80 columns to leave them on one line, and their options exist."""
    command = load_command(name)
    assert command
    examples = command.examples
    assert name == "demo" or examples
    printed = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "90"}).stdout
    for example in examples:
        assert f" {example} " in printed
        words = shlex.split(example.partition(" | ")[0].partition(" > ")[0])
        assert words[:2] == ["tdcur", name]
        known = {option for each in command_of(name).params for option in each.opts}
        assert {word for word in words if word.startswith("-") and word != "-7d"} <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_every_format_has_a_renderer(name: str) -> None:
    formats = [each for each in command_of(name).params if "--format" in each.opts]
    choices = set(formats[0].type.choices) if formats else {"text"}
    assert set(renderers_of(name)) == {str(each) for each in choices} - {"json"}
