"""Render outcomes: text and tables for people, JSON and other formats for scripts."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from td_currents_cli.errors import TdcurError
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal, print_wrapped, printable
from td_currents_cli.write.formats import json_document, json_line

# ruff: noqa: PLC0415 -- each renderer imports only what its own format needs

Renderer: TypeAlias = Callable[[Any, Terminal], None]
"""Renders an outcome of its command; the outcome's class is that of the function it calls."""


def _count_csv(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401 -- see Renderer
    from td_currents_cli.render.count import write_count_csv

    write_count_csv(outcome, terminal)


def _count_jsonl(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.count import write_count_jsonl

    write_count_jsonl(outcome, terminal)


def _count_markdown(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.count import write_count_markdown

    write_count_markdown(outcome, terminal)


def _count_table(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.count import print_count_table

    print_count_table(outcome, terminal)


def _count_tsv(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.count import write_count_tsv

    write_count_tsv(outcome, terminal)


def _demo_text(_outcome: Any, _terminal: Terminal) -> None:  # noqa: ANN401
    """Print nothing: the commands of the demo have printed their own outcomes."""


def _events_ddl(outcome: Any, _terminal: Terminal) -> None:  # noqa: ANN401
    write_text(outcome.ddl())


def _events_json_schema(outcome: Any, _terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.text import format_json
    from td_currents_cli.validate.rules import RULES

    write_text(format_json(outcome.json_schema(RULES.values())))


def _events_table(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.events import print_catalog

    print_catalog(outcome, terminal)


def _generate_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.simple import report_generated

    report_generated(outcome, terminal)


def _parse_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.simple import report_parsed

    report_parsed(outcome, terminal)


def _reconcile_table(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.reconcile import print_comparison

    print_comparison(outcome, terminal)


def _rules_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.simple import print_rules

    print_rules(outcome, terminal)


def _send_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.send import print_sent

    print_sent(outcome, terminal)


def _serve_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.simple import print_served

    print_served(outcome, terminal)


def _sql_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.simple import print_query

    print_query(outcome, terminal)


def _validate_github(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.validate_ci import write_github

    write_github(outcome, terminal)


def _validate_jsonl(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.validate_ci import write_problem_lines

    write_problem_lines(outcome, terminal)


def _validate_junit(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.validate_ci import write_junit

    write_junit(outcome, terminal)


def _validate_sarif(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.validate_ci import write_sarif

    write_sarif(outcome, terminal)


def _validate_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.validate_text import print_validation

    print_validation(outcome, terminal)


def _verify_text(outcome: Any, terminal: Terminal) -> None:  # noqa: ANN401
    from td_currents_cli.render.reconcile import print_verification

    print_verification(outcome, terminal)


RENDERERS: Final[dict[tuple[str, str], Renderer]] = {
    ("count", "csv"): _count_csv,
    ("count", "jsonl"): _count_jsonl,
    ("count", "markdown"): _count_markdown,
    ("count", "table"): _count_table,
    ("count", "tsv"): _count_tsv,
    ("demo", "text"): _demo_text,
    ("events", "ddl"): _events_ddl,
    ("events", "json-schema"): _events_json_schema,
    ("events", "table"): _events_table,
    ("generate", "text"): _generate_text,
    ("parse", "text"): _parse_text,
    ("reconcile", "table"): _reconcile_table,
    ("rules", "text"): _rules_text,
    ("send", "text"): _send_text,
    ("serve", "text"): _serve_text,
    ("sql", "text"): _sql_text,
    ("validate", "github"): _validate_github,
    ("validate", "jsonl"): _validate_jsonl,
    ("validate", "junit"): _validate_junit,
    ("validate", "sarif"): _validate_sarif,
    ("validate", "text"): _validate_text,
    ("verify", "text"): _verify_text,
}
"""Every command and format, but for `json`, which is the same envelope for all commands."""


def render(outcome: Outcome, output_format: str, terminal: Terminal) -> None:
    """Print an outcome in the requested format."""
    if output_format == "json":
        write_json(outcome.as_dict())
    else:
        RENDERERS[outcome.command, output_format](outcome, terminal)


def print_error(error: TdcurError, terminal: Terminal) -> None:
    """Print on standard error why the run failed and what to do next."""
    from rich.text import Text

    print_wrapped(terminal.err, Text.assemble(("error", "bold red"), f": {printable(error.message)}"))
    if error.hint:
        print_wrapped(terminal.err, Text.assemble(("hint", "bold cyan"), f": {printable(error.hint)}"))


def write_json(document: Mapping[str, object]) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json_document(document))


def write_json_line(document: Mapping[str, object]) -> None:
    """Write one JSON document to standard output, on one line."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json_line(document))


def write_text(content: str) -> None:
    """Write content that is copied or redirected, such as SQL, to standard output: never wrapped or styled."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{content}\n".encode(errors="backslashreplace"))
