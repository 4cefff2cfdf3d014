"""`tdcur serve`: a local Postback endpoint."""

from pathlib import Path
from typing import Annotated

import typer

from td_currents_cli.cli.common import Format, TextFormat, command
from td_currents_cli.receiver.serve import ServeOutcome, ServeRequest, run
from td_currents_cli.receiver.settings import Api
from td_currents_cli.render.terminal import Terminal


@command
def serve(
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8888,
    store: Annotated[
        Path,
        typer.Option(
            "--store",
            metavar="FILE",
            help="Where rows are appended: JSON Lines, or CSV when it ends in .csv. All tables share it.",
        ),
    ] = Path("rows.jsonl"),
    write_key_file: Annotated[
        Path | None,
        typer.Option(
            "--write-key-file",
            metavar="FILE",
            show_default=False,
            help="Store only the rows sent with this key (or that of TD_WRITE_KEY). Without: with any key.",
        ),
    ] = None,
    api: Annotated[
        Api,
        typer.Option(
            "--api",
            help="Whose rules hold: v2 refuses bodies over 1,048,064 bytes and a key in the URL, v1 neither.",
        ),
    ] = Api.v2,
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
    terminal: Terminal,
) -> ServeOutcome:
    """Run a local Postback endpoint that answers as Treasure Data does.

    Each body becomes one row of the store, with the columns time and events.
    A wrong write key is answered 200, as Treasure Data does, and the row is
    not stored: the log on standard error says so.

    Ctrl-C or SIGTERM stops it, with exit code 130 or 143; the summary follows.
    """
    from td_currents_cli.render.serve import Log, listening  # noqa: PLC0415 -- only when it runs

    request = ServeRequest(store=store, host=host, port=port, api=api, write_key_file=write_key_file)
    return run(request, started=lambda receiver: listening(receiver, terminal), listener=Log(terminal).add)
