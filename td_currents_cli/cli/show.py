"""`tdcur show`."""

import os
import re
import time
from collections.abc import Sequence

from td_currents_cli.cli import options
from td_currents_cli.cli.command import OutputFormat, command, filters_option, output_option
from td_currents_cli.errors import InputError
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.options import InputFormat, ReadOptions
from td_currents_cli.render.terminal import Terminal


@command(
    examples=(
        "tdcur show rows.csv",
        "tdcur show payloads/ --type '*.Purchase' --limit 1",
        "tdcur show rows.jsonl --id eb17c229-42ac-4442-86b8-41bbfd2c11e2",
    )
)
def show(
    paths: list[str] | None = options.PATHS,
    *,
    limit: int = output_option(default=5, min=1, help="Maximum number of events."),
    unmask: bool = output_option("--unmask", default=False, help="Show personal data."),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    ids: list[str] | None = filters_option("--id", metavar="ID", help="Only the event with this id. Can be repeated."),
    types: list[str] | None = options.TYPES,
    since: str | None = options.SINCE,
    until: str | None = options.UNTIL,
    form: InputFormat = options.INPUT_FORM,
    column: str | None = options.BATCH_COLUMN,
    no_header: bool = options.NO_HEADER,
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    terminal: Terminal,
) -> Outcome:
    """Show single events of payload files or ingested rows.

    Without --id, the first events are shown. Each has its file, row, and line. Personal data is shown as ***.
    """
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read import byte_size, sources  # noqa: PLC0415
    from td_currents_cli.show import ShowRequest, run  # noqa: PLC0415

    wanted = Filter.of(types=types, since=since, until=until, now=time.time()).with_canaries()
    size, parts = byte_size(max_document_size), options.parts_of(wanted)
    try:
        found = sources(paths, max_document_size=size, event_type=event_type, parts=parts)
    except InputError as error:
        raise InputError(error.message, hint=_meant_option(paths or []) or error.hint) from None
    outcome = run(
        ShowRequest(
            sources=tuple(found),
            reading=ReadOptions.of(form, column, no_header=no_header),
            filter=wanted,
            ids=frozenset(ids or ()),
            limit=limit,
            unmask=unmask,
        )
    )
    if not outcome.events:
        options.warn_of_types(wanted, terminal, outcome)
    return outcome


def _meant_option(paths: Sequence[str]) -> str:
    """Return a hint if one of several paths is rather the type or the id of an event; else an empty string."""
    from td_currents_cli.catalog import load  # noqa: PLC0415 -- only for a mistake

    for path in paths if len(paths) > 1 else ():
        if path in load().events:
            return f"Did you mean --type {path}?"
        if not os.path.lexists(path) and re.fullmatch(r"[\w-]+", path):
            return f"Did you mean --id {path}?"
    return ""
