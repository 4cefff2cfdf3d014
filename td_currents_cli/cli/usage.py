"""Typer's errors about wrong usage, in our words; suggestions only of what is near."""

import re
from collections.abc import Sequence
from typing import Any, Final

from typer.exceptions import TyperException

from td_currents_cli.cli.groups import COMMANDS, TOPICS
from td_currents_cli.cli.parameters import choices_of, shown_names
from td_currents_cli.errors import UsageError
from td_currents_cli.suggestions import did_you_mean, nearest

_NUMBERS: Final = {"int": "an integer", "float": "a number"}


def as_usage_error(error: TyperException) -> UsageError:
    """Word an error of Typer as our own are: by what it has, since its classes are private."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tdcur"
    hint = f"Run `{command} --help` for its options."
    message = str(error.message)
    if name := getattr(error, "option_name", ""):
        if hasattr(error, "possibilities"):
            found = _hint_to_option(name, context, getattr(error, "arguments", ()), hint)
            return UsageError(f"unknown option {name}", hint=found)
        return UsageError(f"{name} {'requires a value' if 'requires' in message else 'takes no value'}", hint=hint)
    if parameter := getattr(error, "param", None):
        return _of_parameter(parameter, message, hint)
    if extra := re.search(r"unexpected extra argument\S* \((.*)\)", message):
        name = context.info_name if context else ""
        return UsageError(f"unexpected argument: {extra[1]}", hint=_OPTIONS_OF_ARGUMENTS.get(name, hint))
    return UsageError(message[:1].lower() + message[1:].removesuffix("."), hint=hint)


_SAME_COMMANDS: Final = {
    "help": ("--help", "man", "usage"),
    "--version": ("version",),
    "--show-completion": ("completion", "completions", "autocomplete"),
    "validate": ("check", "lint", "test"),
    "send": ("upload", "post", "push", "import", "ingest"),
    "parse": ("flatten", "convert", "export", "transform", "unnest"),
    "count": ("stats", "summary", "summarize", "aggregate", "group"),
    "reconcile": ("diff", "compare"),
    "verify": ("wait", "watch"),
    "show": ("cat", "head", "view", "print", "find", "grep"),
    "serve": ("server", "mock", "listen"),
    "generate": ("fake", "synthesize", "sample"),
    "demo": ("example", "examples", "tutorial", "init"),
    "events": ("catalog", "types", "schema", "fields"),
    "rules": ("explain", "codes"),
    "sql": ("query",),
    "config": ("settings", "profile", "profiles", "configure"),
    "doctor": ("status", "diagnose", "info", "clean"),
    "help environment": ("env",),
}
"""What other tools call the commands."""

_SAME_OPTIONS: Final = {
    "--by": ("--group-by", "--groupby", "--field", "--fields", "--column", "--columns"),
    "--format": ("--output-format", "-f"),
    "--to": ("--output-format", "--format", "-f"),
    "--shape": ("--output-format", "--format", "-f"),
    "--from": ("--input-format", "--format"),
    "--output": ("--out", "--output-file", "--file"),
    "--limit": ("--max", "--head", "--number", "-n", "-l"),
    "--events": ("--count", "--number", "--limit"),
    "--type": ("--types", "--event-type", "--event", "-t"),
    "--since": ("--start", "--after", "--from-date", "--from-time"),
    "--until": ("--end", "--before", "--to-date", "--to-time"),
    "--timezone": ("--tz", "--time-zone", "--zone"),
    "--jobs": ("--workers", "--threads", "--processes", "--parallel", "-j"),
    "--quiet": ("--silent", "-s"),
    "--color never": ("--no-color", "--no-colour", "--nocolor"),
    "--progress never": ("--no-progress",),
    "--write-key-file": ("--write-key", "--key"),
    "--token-file": ("--token",),
    "--api-key-file": ("--api-key", "--apikey"),
    "--ignore": ("--exclude", "--skip", "--disable"),
    "--select": ("--include", "--only", "--rules", "--enable"),
    "--strict": ("--fail-on-warning", "--warnings-as-errors", "--werror"),
    "--version": ("-v",),
    "--show-completion": ("--completion",),
}
"""What other tools call the options."""


_OPTIONS_OF_ARGUMENTS: Final = {
    "config": "Select a profile with --profile NAME.",
    "generate": "Give the number of events with --events NUMBER.",
    "reconcile": "Name both sides: --sent PATH --ingested PATH.",
    "verify": "Name both sides: --sent PATH --ingested td://DATABASE/TABLE.",
}
"""Hints for commands without arguments."""


def unknown_command(name: str, *, of_help: bool = False) -> UsageError:
    """Make the error for a command that does not exist, or for what `tdcur help` does not know."""
    known = {each: f"`tdcur help {each}`" if of_help else f"`tdcur {each}`" for each in COMMANDS}
    known |= {each: f"`tdcur help {each}`" for each in TOPICS}
    for meant, others in _SAME_COMMANDS.items():
        known |= {other: known.get(meant, f"`tdcur {meant}`") for other in others}
    hint = did_you_mean(name, known, "Run `tdcur help` for all of them.")
    return UsageError(f"unknown {'command or topic' if of_help else 'command'}: {name}", hint=hint)


def _hint_to_option(name: str, context: Any, arguments: Sequence[str], otherwise: str) -> str:  # noqa: ANN401 -- Typer's type is private
    """Return a hint to an option of this command, or of the one that is named after it."""
    if meant := _meant_option(name, context.command):
        return f"Did you mean {meant}?"
    command = next((each for each in arguments if each in COMMANDS), "") if not context.parent else ""
    if command and (meant := _meant_option(name, context.command.get_command(context, command))):
        return f"Options of a command follow it: `tdcur {command} {meant}`."
    return otherwise


def _meant_option(name: str, command: Any) -> str:  # noqa: ANN401 -- as above
    """Return the option, with the value if that was given as its name; empty if none is near."""
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    # Also by the names of earlier versions.
    known = {each: shown_names(option)[-1] for option in options for each in option.opts}
    if name in known:
        return known[name]
    for meant, others in _SAME_OPTIONS.items():
        if name in others and meant.split()[0] in known:
            return meant
    for option in options:
        if name.removeprefix("--") in choices_of(option):
            return f"{shown_names(option)[-1]} {name.removeprefix('--')}"
    near = nearest(name, tuple(known), separator="-")
    return known[near] if near else ""


def _of_parameter(parameter: Any, message: str, hint: str) -> UsageError:  # noqa: ANN401 -- as above
    is_option = parameter.param_type_name == "option"
    name = shown_names(parameter)[-1] if is_option else parameter.metavar or parameter.name
    value = re.match(r"'(.*)' is not ", message, re.DOTALL)
    if not message:
        return UsageError(f"{name} is required", hint=hint)
    if choices := choices_of(parameter):
        given = value[1] if value else ""
        near = did_you_mean(given.lower(), {each: each for each in choices})
        return UsageError(f"{name} must be one of {', '.join(choices)}, got `{given}`", hint=near or hint)
    kind = _NUMBERS.get(parameter.type.name.removesuffix(" range"))
    if kind and value:
        return UsageError(f"{name} must be {kind}, got `{value[1]}`", hint=hint)
    if kind and "is not in the range" in message:
        low, high = parameter.type.min, parameter.type.max
        limits = f"{low:g} or more" if high is None else f"between {low:g} and {high:g}"
        return UsageError(f"{name} must be {limits}", hint=hint)
    return UsageError(f"{name}: {message.removesuffix('.')}", hint=hint)
