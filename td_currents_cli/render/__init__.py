"""Outcomes out: text and tables for people, JSON and its relatives for scripts."""

import sys
from collections.abc import Mapping
from importlib import import_module

from td_currents_cli.errors import TdcurError
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.write.json_text import json_document, json_line


def show(outcome: Outcome, form: str, terminal: Terminal) -> None:
    """Print an outcome in the form asked for.

    `json` is the envelope of every outcome. For any other form, the module of this package that is named for the
    command holds a function named for the form: `render.count.table(outcome, terminal)`, with `_` for each `-`.
    """
    if form == "json":
        write_json(outcome.as_dict())
        return
    getattr(import_module(f"td_currents_cli.render.{outcome.command}"), form.replace("-", "_"))(outcome, terminal)


def show_error(error: TdcurError, terminal: Terminal) -> None:
    """Say on standard error why the run cannot go on and what to do next."""
    from rich.text import Text  # noqa: PLC0415 -- heavy; only needed on failure

    terminal.err.print(Text.assemble(("error", "bold red"), f": {printable(error.message)}"), soft_wrap=True)
    if error.hint:
        terminal.err.print(Text.assemble(("hint", "bold cyan"), f": {printable(error.hint)}"), soft_wrap=True)


def write_json(document: Mapping[str, object]) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json_document(document))


def write_text(text: str) -> None:
    """Write a text by itself to standard output, where no form is asked for but its own."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{text}\n".encode(errors="backslashreplace"))


def write_json_line(document: Mapping[str, object]) -> None:
    """Write one JSON document to standard output, on one line."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json_line(document))
