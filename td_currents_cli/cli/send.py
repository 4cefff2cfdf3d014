"""`tdcur send`: options in, one run, one outcome."""

from typing import Annotated, Final

import typer

from td_currents_cli.cli.common import Format, Paths, TextFormat, command
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.send.outcome import SendOutcome
from td_currents_cli.send.plan import MAX_BYTES, MAX_EVENTS
from td_currents_cli.send.sites import Site

_WHERE: Final = "Where to"
_SECRETS: Final = "Credentials"
_BATCHES: Final = "Requests"
_PACE: Final = "Pace and patience"


@command
def send(
    paths: Paths = None,
    *,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", rich_help_panel=_WHERE, help="The Postback URL, or another endpoint. Else TDCUR_URL."
        ),
    ] = None,
    site: Annotated[
        Site | None, typer.Option(rich_help_panel=_WHERE, help="Treasure Data site, instead of a URL.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="NAME", rich_help_panel=_WHERE, help="Database, with --site.")
    ] = None,
    table: Annotated[
        str | None, typer.Option(metavar="NAME", rich_help_panel=_WHERE, help="Table, with --site.")
    ] = None,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", rich_help_panel=_WHERE, help="Allow plain http beyond this machine.")
    ] = False,
    write_key_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_SECRETS, help="File that holds the write key. Else TD_WRITE_KEY."
        ),
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_SECRETS, help="File that holds a Bearer token. Else TDCUR_TOKEN."
        ),
    ] = None,
    batch_events: Annotated[
        int, typer.Option(metavar="N", min=1, rich_help_panel=_BATCHES, help="Events in a request, at most.")
    ] = MAX_EVENTS,
    batch_bytes: Annotated[
        int, typer.Option(metavar="N", min=1, rich_help_panel=_BATCHES, help="Bytes of a request's body, at most.")
    ] = MAX_BYTES,
    repack: Annotated[
        bool, typer.Option("--repack", rich_help_panel=_BATCHES, help="Fill requests with events of several documents.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", rich_help_panel=_BATCHES, help="Plan and count, send nothing.")
    ] = False,
    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, rich_help_panel=_PACE, help="Requests at once.")
    ] = 8,
    timeout: Annotated[
        float,
        typer.Option(metavar="S", min=0.001, rich_help_panel=_PACE, help="Seconds to connect, and to be answered."),
    ] = 30.0,
    retry_for: Annotated[
        str, typer.Option(metavar="DURATION", rich_help_panel=_PACE, help="Keep trying a request for so long.")
    ] = "15m",
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
    terminal: Terminal,
) -> SendOutcome:
    """Send payloads to Treasure Data, or to another endpoint, as Braze would.

    Events go out byte for byte, up to 100 in a request. What fails is tried
    again; what cannot be delivered is counted, and the exit code says so.
    """
    from td_currents_cli.render.send import progress  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.send import Destination, Limits, Request, run  # noqa: PLC0415
    from td_currents_cli.send.retry import duration  # noqa: PLC0415

    request = Request(
        paths=tuple(paths or ()),
        destination=Destination(
            url=url,
            site=site,
            database=database,
            table=table,
            write_key_file=write_key_file,
            token_file=token_file,
            allow_http=allow_http,
        ),
        limits=Limits(events=batch_events, size=batch_bytes, repack=repack),
        concurrency=concurrency,
        timeout=timeout,
        retry_for=duration(retry_for, "--retry-for"),
        dry_run=dry_run,
    )
    with progress(terminal) as show:
        return run(request, notice=terminal.say, progress=show)
