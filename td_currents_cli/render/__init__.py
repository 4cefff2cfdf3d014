"""Render outcomes: text and tables for people, JSON and other formats for scripts."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal, write_json

if TYPE_CHECKING:
    from td_currents_cli.count import CountOutcome
    from td_currents_cli.parse import ParseOutcome
    from td_currents_cli.reconcile import ReconcileOutcome
    from td_currents_cli.treasure_data.incremental_outcome import IncrementalOutcome
    from td_currents_cli.treasure_data.insert import InsertOutcome

# ruff: noqa: PLC0415 -- a command imports only its own renderers

Renderer: TypeAlias = Callable[[Any, Terminal], None]
"""Renders an outcome of its command; the type checker compares the outcome's class with the one it renders."""

Renderers: TypeAlias = Mapping[str, Renderer]
"""The renderers of a command by format, except for `json`, which is the same envelope for all commands."""


def renderers_of(command: str) -> Renderers:  # noqa: C901, PLR0911, PLR0912 -- a table
    """Import the renderers of a command."""
    match command:
        case "validate":
            from td_currents_cli.render import validate_ci, validate_text

            return {
                "text": validate_text.print_validation,
                "concise": validate_text.print_concise,
                "grouped": validate_text.print_grouped,
                "jsonl": validate_ci.write_problem_lines,
                "github": validate_ci.write_github,
                "sarif": validate_ci.write_sarif,
                "junit": validate_ci.write_junit,
            }
        case "send":
            from td_currents_cli.render.send import print_sent

            return {"text": print_sent}
        case "url":
            from td_currents_cli.render.send import print_braze_url

            return {"text": print_braze_url}
        case "count":
            from td_currents_cli.render import count

            return {
                "table": _print_count_table,
                "markdown": _write_count_markdown,
                "html": _write_count_page,
                "jsonl": count.write_count_jsonl,
                "csv": count.write_count_csv,
                "tsv": count.write_count_tsv,
            }
        case "reconcile":
            from td_currents_cli.render.reconcile import print_comparison

            return {"table": print_comparison, "html": _write_comparison_page}
        case "report":
            from td_currents_cli.render.report import report_written

            return {"text": report_written}
        case "verify":
            from td_currents_cli.render.reconcile import print_verification

            return {"text": print_verification}
        case "watch":
            from td_currents_cli.render.watch import print_watch

            return {"text": print_watch}
        case "events":
            from td_currents_cli.render import events

            return {"table": events.print_catalog, "json-schema": events.write_json_schema, "ddl": events.write_ddl}
        case "show":
            from td_currents_cli.render.show import print_events

            return {"text": print_events}
        case "config":
            from td_currents_cli.render.setup import print_config

            return {"text": print_config}
        case "doctor":
            from td_currents_cli.render.setup import print_diagnosis

            return {"text": print_diagnosis}
        case "journal":
            from td_currents_cli.render.setup import print_journals

            return {"text": print_journals}
        case "parse":
            return {"text": _report_parse}
        case "serve":
            from td_currents_cli.render.serve import print_served

            return {"text": print_served}
        case "demo":
            return {"text": lambda _outcome, _terminal: None}  # its commands have printed their own outcomes
        case "generate":
            from td_currents_cli.render.simple import report_generated

            return {"text": report_generated}
        case "rules":
            from td_currents_cli.render.simple import print_rules

            return {"text": print_rules}
        case "workflow":
            from td_currents_cli.render.simple import report_project

            return {"text": report_project}
        case "sql":
            from td_currents_cli.render.simple import print_query

            return {"text": print_query}
        case _:
            raise LookupError(command)


def render(outcome: Outcome, output_format: str, terminal: Terminal) -> None:
    """Print an outcome in the requested format."""
    if output_format == "json":
        write_json(outcome.as_dict(), unmasked=outcome.unmasked)
    else:
        renderers_of(outcome.command)[output_format](outcome, terminal)


def _report_parse(outcome: "ParseOutcome | InsertOutcome | IncrementalOutcome", terminal: Terminal) -> None:
    from td_currents_cli.parse import ParseOutcome
    from td_currents_cli.render.parse import report_parsed

    if not isinstance(outcome, ParseOutcome):
        from td_currents_cli.render.incremental import report_incremental
        from td_currents_cli.treasure_data.incremental_outcome import IncrementalOutcome

        if isinstance(outcome, IncrementalOutcome):
            report_incremental(outcome, terminal)
            return
    report_parsed(outcome, terminal)


def _print_count_table(outcome: "CountOutcome", terminal: Terminal) -> None:
    from td_currents_cli.render.count_tables import print_count_table

    print_count_table(outcome, terminal)


def _write_count_markdown(outcome: "CountOutcome", terminal: Terminal) -> None:
    from td_currents_cli.render.count_tables import write_count_markdown

    write_count_markdown(outcome, terminal)


def _write_count_page(outcome: "CountOutcome", terminal: Terminal) -> None:
    from td_currents_cli.render.html.count import write_count_page

    write_count_page(outcome, terminal)


def _write_comparison_page(outcome: "ReconcileOutcome", terminal: Terminal) -> None:
    from td_currents_cli.render.html.reconcile import write_comparison_page

    write_comparison_page(outcome, terminal)
