"""`tdcur events`: the catalog of event types."""

import time
from enum import StrEnum
from typing import Final

import typer

from td_currents_cli.braze import Site
from td_currents_cli.choices import Dialect
from td_currents_cli.cli import complete, options
from td_currents_cli.cli.command import (
    ExplicitOptions,
    command,
    filters_option,
    input_option,
    output_option,
    refuse,
)
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import ProgressLine, Terminal


class EventsFormat(StrEnum):
    """Output format of the catalog."""

    table = "table"
    json = "json"
    json_schema = "json-schema"
    ddl = "ddl"


_OF_DIFF: Final = frozenset({"--site", "--api-key-file", "--since", "--max-document-size", "--jobs"})


@command(
    examples=(
        "tdcur events '*.email.*'",
        "tdcur events users.messages.email.Open",
        "tdcur events --new-in 11",
        "tdcur events --diff payloads/ rows.csv",
        "tdcur events --format json-schema > currents.schema.json",
    ),
    typer_class=options.MultiValueCommand,
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
    diff: list[str] | None = input_option(
        metavar="PATH…",
        help="List the types and fields that occur there, but not in the catalog: files, folders, or td://….",
    ),
    site: Site | None = options.TABLE_SITE,
    api_key_file: str | None = options.API_KEY_FILE,
    since: str | None = options.SINCE,
    received_since: str | None = options.RECEIVED_SINCE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    jobs: int | None = options.JOBS,
    strict: bool = output_option(
        "--strict", default=False, help="With json-schema: also reject unknown types, fields, and values."
    ),
    dialect: Dialect | None = output_option(help="With ddl: the SQL dialect.", show_default="trino"),
    terminal: Terminal,
    line: ProgressLine,
    given: ExplicitOptions,
) -> Outcome:
    """List the event types of Braze Currents, or the fields of one.

    The notes show whether a field is required or personal data, and the first Currents release with it. Fields marked
    "storage only" are part of Braze's storage export, but were not seen over HTTP.
    """
    from td_currents_cli.catalog import load  # noqa: PLC0415
    from td_currents_cli.catalog.json_schema import SchemaForm  # noqa: PLC0415
    from td_currents_cli.catalog.list_events import EventsRequest, run  # noqa: PLC0415 -- a command loads only what it runs

    if strict and output_format is not EventsFormat.json_schema:
        raise UsageError("--strict works only with --format json-schema", hint="Add --format json-schema.")
    if dialect is not None and output_format is not EventsFormat.ddl:
        raise UsageError("--dialect works only with --format ddl", hint="Add --format ddl.")
    if new_in is not None and output_format in {EventsFormat.json_schema, EventsFormat.ddl}:
        raise UsageError("--new-in works only with --format table or json", hint="Remove --new-in.")
    if diff:
        refuse(given & {"--new-in", "--strict", "--dialect"}, "--diff", "It shows what is not in the catalog.")
        if pattern is not None:
            raise UsageError("a TYPE cannot be given with --diff", hint="It compares all event types: remove TYPE.")
        if output_format not in {EventsFormat.table, EventsFormat.json}:
            raise UsageError("--diff works only with --format table or json", hint="Remove --format.")
        from td_currents_cli.catalog_diff import run as compare  # noqa: PLC0415 -- only with --diff
        from td_currents_cli.read.options import ReadOptions  # noqa: PLC0415
        from td_currents_cli.read.sources import InputProgress  # noqa: PLC0415

        now, progress = time.time(), InputProgress()
        wanted, received = options.selected(None, since, None, received_since, None, now=now)
        line.watch(progress.now)
        with (
            options.open_tables(
                diff,
                wanted,
                terminal,
                line,
                site=site,
                column=None,
                api_key_file=api_key_file,
                received=received,
            ) as tables,
            options.open_inputs(diff, tables, max_document_size, None, wanted) as sources,
        ):
            reading = ReadOptions(received=received if tables is None else None)
            outcome = compare(load(), progress.watched(sources), wanted, reading, jobs=options.worker_count(jobs))
            return options.with_scanned_rows(outcome, tables)
    refuse(given & _OF_DIFF, "`events` without --diff", "Add --diff PATH.")
    form = SchemaForm.STRICT if strict else SchemaForm.TOLERANT
    return run(EventsRequest(pattern, form, dialect or Dialect.TRINO, new_in))
