"""Render outcomes: text and tables for people, JSON and other formats for scripts."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal, write_json

# ruff: noqa: PLC0415 -- a command imports only its own renderers

Renderer: TypeAlias = Callable[[Any, Terminal], None]
"""Renders an outcome of its command; the type checker compares the outcome's class with the one it renders."""

Renderers: TypeAlias = Mapping[str, Renderer]
"""The renderers of a command by format, except for `json`, which is the same envelope for all commands."""


def _validate() -> Renderers:
    from td_currents_cli.render import validate_ci, validate_text

    return {
        "text": validate_text.print_validation,
        "jsonl": validate_ci.write_problem_lines,
        "github": validate_ci.write_github,
        "sarif": validate_ci.write_sarif,
        "junit": validate_ci.write_junit,
    }


def _rules() -> Renderers:
    from td_currents_cli.render.simple import print_rules

    return {"text": print_rules}


def _send() -> Renderers:
    from td_currents_cli.render.send import print_sent

    return {"text": print_sent}


def _parse() -> Renderers:
    from td_currents_cli.render.simple import report_parsed

    return {"text": report_parsed}


def _count() -> Renderers:
    from td_currents_cli.render import count

    return {
        "table": count.print_count_table,
        "markdown": count.write_count_markdown,
        "jsonl": count.write_count_jsonl,
        "csv": count.write_count_csv,
        "tsv": count.write_count_tsv,
    }


def _reconcile() -> Renderers:
    from td_currents_cli.render.reconcile import print_comparison

    return {"table": print_comparison}


def _verify() -> Renderers:
    from td_currents_cli.render.reconcile import print_verification

    return {"text": print_verification}


def _sql() -> Renderers:
    from td_currents_cli.render.simple import print_query

    return {"text": print_query}


def _events() -> Renderers:
    from td_currents_cli.render import events

    return {"table": events.print_catalog, "json-schema": events.write_json_schema, "ddl": events.write_ddl}


def _generate() -> Renderers:
    from td_currents_cli.render.simple import report_generated

    return {"text": report_generated}


def _serve() -> Renderers:
    from td_currents_cli.render.simple import print_served

    return {"text": print_served}


def _demo() -> Renderers:
    return {"text": lambda _outcome, _terminal: None}  # the commands of the demo have printed their own outcomes


RENDERERS: Final[dict[str, Callable[[], Renderers]]] = {
    "validate": _validate,
    "rules": _rules,
    "send": _send,
    "parse": _parse,
    "count": _count,
    "reconcile": _reconcile,
    "verify": _verify,
    "sql": _sql,
    "events": _events,
    "generate": _generate,
    "serve": _serve,
    "demo": _demo,
}


def render(outcome: Outcome, output_format: str, terminal: Terminal) -> None:
    """Print an outcome in the requested format."""
    if output_format == "json":
        write_json(outcome.as_dict())
    else:
        RENDERERS[outcome.command]()[output_format](outcome, terminal)
