"""Typer's errors about wrong usage, in our words; suggestions only of what is near."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from typer.exceptions import TyperException

from td_currents_cli.cli.command import shown_names
from td_currents_cli.cli.help_page import choices_of
from td_currents_cli.errors import UsageError

_NEAR: Final = 0.75
_NUMBERS: Final = {"int": "an integer", "float": "a number"}


def as_usage_error(error: TyperException) -> UsageError:
    """Word an error of Typer as our own are: by what it has, since its classes are private."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tdcur"
    hint = f"Run `{command} --help` for its options."
    message = str(error.message)
    if name := getattr(error, "option_name", ""):
        if hasattr(error, "possibilities"):
            return UsageError(f"unknown option {name}", hint=did_you_mean(name, _options(context), hint))
        return UsageError(f"{name} {'requires a value' if 'requires' in message else 'takes no value'}", hint=hint)
    if parameter := getattr(error, "param", None):
        return _of_parameter(parameter, message, hint)
    if extra := re.search(r"unexpected extra argument\S* \((.*)\)", message):
        return UsageError(f"unexpected argument: {extra[1]}", hint=hint)
    return UsageError(message[:1].lower() + message[1:].removesuffix("."), hint=hint)


def unknown_command(name: str, commands: Iterable[str], topics: Iterable[str], *, of_help: bool = False) -> UsageError:
    """Make the error for a command that does not exist, or for what `tdcur help` does not know."""
    known = {each: f"`tdcur help {each}`" if of_help else f"`tdcur {each}`" for each in commands}
    known |= {each: f"`tdcur help {each}`" for each in topics}
    hint = did_you_mean(name, known, "Run `tdcur help` for all of them.")
    return UsageError(f"unknown {'command or topic' if of_help else 'command'}: {name}", hint=hint)


def did_you_mean(name: str, known: dict[str, str], otherwise: str) -> str:
    """Return a hint to what is near a name, or another one. Keys of `known` are compared, values are shown."""
    near = get_close_matches(name, known, 1, _NEAR)
    return f"Did you mean {known[near[0]]}?" if near else otherwise


def _options(context: Any) -> dict[str, str]:  # noqa: ANN401 -- Typer's type is private
    """Return the options of a command by all names that they have, also those of earlier versions."""
    options = [each for each in context.command.get_params(context) if each.param_type_name == "option"]
    return {name: shown_names(each)[-1] for each in options if not each.hidden for name in each.opts}


def _of_parameter(parameter: Any, message: str, hint: str) -> UsageError:  # noqa: ANN401 -- as above
    is_option = parameter.param_type_name == "option"
    name = shown_names(parameter)[-1] if is_option else parameter.metavar or parameter.name
    value = re.match(r"'(.*)' is not ", message, re.DOTALL)
    if not message:
        return UsageError(f"{name} is required", hint=hint)
    if choices := choices_of(parameter):
        given = value[1] if value else ""
        near = did_you_mean(given.lower(), {each: each for each in choices}, "")
        return UsageError(f"{name} must be one of {', '.join(choices)}, got `{given}`", hint=near or hint)
    kind = _NUMBERS.get(parameter.type.name.removesuffix(" range"))
    if kind and value:
        return UsageError(f"{name} must be {kind}, got `{value[1]}`", hint=hint)
    if kind and "is not in the range" in message:
        low, high = parameter.type.min, parameter.type.max
        limits = f"{low:g} or more" if high is None else f"between {low:g} and {high:g}"
        return UsageError(f"{name} must be {limits}", hint=hint)
    return UsageError(f"{name}: {message.removesuffix('.')}", hint=hint)
