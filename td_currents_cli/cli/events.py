"""`tdcur events`: the catalog of event types."""

from enum import StrEnum
from pathlib import Path

import typer

from td_currents_cli.choices import Dialect
from td_currents_cli.cli import complete
from td_currents_cli.cli.command import catalog_option, command, filters_option, output_option
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome


class EventsFormat(StrEnum):
    """Output format of the catalog."""

    table = "table"
    json = "json"
    json_schema = "json-schema"
    ddl = "ddl"


@command(
    examples=(
        "tdcur events '*.email.*'",
        "tdcur events users.messages.email.Open",
        "tdcur events --new-in 11",
        "tdcur events --format json-schema > currents.schema.json",
    )
)
def events(
    pattern: str | None = typer.Argument(
        None,
        metavar="TYPE",
        autocompletion=complete.event_types,
        help="An event type, shown with its fields, or a quoted glob over event types.",
        show_default="all types",
    ),
    *,
    output_format: EventsFormat = output_option(
        "--format",
        default=EventsFormat.table,
        help="table, json with all fields, json-schema of payloads, or ddl (CREATE TABLE).",
    ),
    new_in: str | None = filters_option(
        "--new-in", metavar="RELEASE", help="Only what a release of Currents added: types, and fields of older types."
    ),
    strict: bool = output_option(
        "--strict", default=False, help="With json-schema: also reject unknown types, fields, and values."
    ),
    dialect: Dialect | None = output_option(help="With ddl: the SQL dialect.", show_default="trino"),
    catalog: Path | None = catalog_option(
        metavar="FILE", help="Additional event types and fields. [env: TDCUR_CATALOG]", show_default=False
    ),
) -> Outcome:
    """List the event types of Braze Currents, or the fields of one.

    The notes show whether a field is required or personal data, and the first Currents release with it. Fields marked
    "storage only" are part of Braze's storage export, but were not seen over HTTP.
    """
    from td_currents_cli.catalog.json_schema import SchemaForm  # noqa: PLC0415
    from td_currents_cli.catalog.list_events import EventsRequest, run  # noqa: PLC0415 -- a command loads only what it runs

    if strict and output_format is not EventsFormat.json_schema:
        raise UsageError("--strict works only with --format json-schema", hint="Add --format json-schema.")
    if dialect is not None and output_format is not EventsFormat.ddl:
        raise UsageError("--dialect works only with --format ddl", hint="Add --format ddl.")
    if new_in is not None and output_format in {EventsFormat.json_schema, EventsFormat.ddl}:
        raise UsageError("--new-in works only with --format table or json", hint="Remove --new-in.")
    form = SchemaForm.STRICT if strict else SchemaForm.TOLERANT
    return run(EventsRequest(pattern, catalog, form, dialect or Dialect.TRINO, new_in))
