"""`tdcur events`: the catalogue of event types."""

from enum import StrEnum
from typing import Annotated

import typer

from td_currents_cli.cli.common import command
from td_currents_cli.outcome import Outcome


class EventsFormat(StrEnum):
    """How the catalogue is printed."""

    table = "table"
    json = "json"


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
    output_format: Annotated[  # noqa: ARG001 -- the command decorator renders with it
        EventsFormat, typer.Option("--format", help="A table for people, or JSON with all fields.")
    ] = EventsFormat.table,
) -> Outcome:
    """List the event types that Braze Currents sends, or show the fields of one.

    A field's notes say whether it is required, personal data, and since which Currents release it is sent. Fields noted
    as "storage only" are in Braze's storage export, but were not seen over HTTP.

    Examples: tdcur events '*.email.*'; tdcur events users.messages.email.Open
    """
    from td_currents_cli.catalog.listing import EventsRequest, run  # noqa: PLC0415 -- only for this command

    return run(EventsRequest(pattern))
