"""`tdcur events`: the catalogue of event types."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from td_currents_cli.choices import Dialect
from td_currents_cli.cli.common import command
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome


class EventsFormat(StrEnum):
    """How the catalogue is printed."""

    table = "table"
    json = "json"
    json_schema = "json-schema"
    ddl = "ddl"


@command
def events(
    pattern: Annotated[
        str | None,
        typer.Argument(
            metavar="TYPE",
            help="An event type, shown with its fields, or a quoted glob over types. Without it: all types.",
            show_default=False,
        ),
    ] = None,
    *,
    output_format: Annotated[
        EventsFormat,
        typer.Option(
            "--format", help="A table for people, JSON with all fields, a JSON Schema of payloads, or a CREATE TABLE."
        ),
    ] = EventsFormat.table,
    strict: Annotated[
        bool, typer.Option("--strict", help="With json-schema: refuse unknown types, fields and values too.")
    ] = False,
    dialect: Annotated[
        Dialect | None, typer.Option("--dialect", help="With ddl: whose SQL.", show_default="trino")
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="FILE", help="Further event types and fields.", show_default=False),
    ] = None,
) -> Outcome:
    """List the event types that Braze Currents sends, or show the fields of one.

    A field's notes say whether it is required, personal data, and since which Currents release it is sent. Fields noted
    as "storage only" are in Braze's storage export, but were not seen over HTTP.

    Examples: `tdcur events '*.email.*'`; `tdcur events users.messages.email.Open`; `tdcur events --format json-schema`
    """
    from td_currents_cli.catalog.listing import EventsRequest, run  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.catalog.type_schema import SchemaForm  # noqa: PLC0415

    if strict and output_format is not EventsFormat.json_schema:
        raise UsageError("--strict is about a JSON Schema", hint="Add --format json-schema.")
    if dialect is not None and output_format is not EventsFormat.ddl:
        raise UsageError("--dialect is about a CREATE TABLE", hint="Add --format ddl.")
    form = SchemaForm.STRICT if strict else SchemaForm.TOLERANT
    return run(EventsRequest(pattern, catalog, form, dialect or Dialect.TRINO))
