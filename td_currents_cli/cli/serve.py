"""`tdcur serve`: a local Postback endpoint."""

from pathlib import Path
from typing import Annotated, Final

import typer

from td_currents_cli.cli.common import Format, TextFormat, command
from td_currents_cli.duration import duration
from td_currents_cli.receiver.serve import ServeOutcome, ServeRequest, run
from td_currents_cli.receiver.settings import FaultSettings, PostbackApi, parse_faults
from td_currents_cli.render.terminal import Terminal

_MISBEHAVIOUR: Final = "Misbehaviour"


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
        PostbackApi,
        typer.Option(
            "--api",
            help="Whose rules hold: v2 refuses bodies over 1,048,064 bytes and a key in the URL, v1 neither.",
        ),
    ] = PostbackApi.v2,
    fail: Annotated[
        str | None,
        typer.Option(
            "--fail",
            metavar="NAME=P,…",
            show_default=False,
            rich_help_panel=_MISBEHAVIOUR,
            help="Which faults, each with its probability, such as 503=0.1,slow=0.1:2s.",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option("--seed", rich_help_panel=_MISBEHAVIOUR, help="The same seed deals the faults in the same order."),
    ] = 0,
    latency: Annotated[
        str,
        typer.Option(
            "--latency", metavar="DURATION", rich_help_panel=_MISBEHAVIOUR, help="Every answer is so late: 50ms, 2s."
        ),
    ] = "0s",
    ingest_delay: Annotated[
        str,
        typer.Option(
            "--ingest-delay",
            metavar="DURATION",
            rich_help_panel=_MISBEHAVIOUR,
            help="Rows are in the store so long after the answer, or when the endpoint stops.",
        ),
    ] = "0s",
    max_rows: Annotated[
        int | None,
        typer.Option(
            "--max-rows",
            metavar="N",
            min=0,
            show_default=False,
            rich_help_panel=_MISBEHAVIOUR,
            help="The store is full after N rows of this run: 507.",
        ),
    ] = None,
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
    terminal: Terminal,
) -> ServeOutcome:
    """Run a local Postback endpoint that answers as Treasure Data does.

    Each body becomes one row of the store, with the columns time and events.
    A wrong write key is answered 200, as Treasure Data does, and the row is
    not stored: the log on standard error says so.

    Ctrl-C or SIGTERM stops it, with exit code 130 or 143; the summary follows.

    Faults that --fail takes:

    - `503=0.1`: any status from 200 to 599; the row is not stored. `503=0.1:3s`
      adds Retry-After, which 429 has anyway.
    - `reset=0.1`: the connection is reset; the row is not stored.
    - `accept-then-reset=0.1`: the row is stored, and then the connection reset.
    - `slow=0.1:2s`: the row is stored, and the answer comes so late.
    - `hang=0.1`: the row is not stored, and no answer comes.
    """
    from td_currents_cli.render.serve import Log, listening  # noqa: PLC0415 -- only when it runs

    fault_settings = FaultSettings(
        faults=parse_faults(fail) if fail is not None else (),
        seed=seed,
        latency=duration(latency, "--latency"),
        ingest_delay=duration(ingest_delay, "--ingest-delay"),
        max_rows=max_rows,
    )
    request = ServeRequest(
        store=store, host=host, port=port, api=api, write_key_file=write_key_file, fault_settings=fault_settings
    )
    return run(request, started=lambda receiver: listening(receiver, terminal), listener=Log(terminal).add)
