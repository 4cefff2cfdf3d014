"""`tdcur serve`: a local Postback endpoint."""

from pathlib import Path

from td_currents_cli.cli import options
from td_currents_cli.cli.command import OutputFormat, command, destination_option, faults_option, output_option
from td_currents_cli.durations import duration
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.serve.server import ServeOutcome, ServeRequest, run
from td_currents_cli.serve.settings import FaultSettings, PostbackApi, ServeSettings, parse_faults
from td_currents_cli.serve.stats import RequestLog


@command(examples=("tdcur serve --store rows.jsonl", 'tdcur serve --fail "503=0.1,slow=0.1:2s" --latency 50ms'))
def serve(
    *,
    host: str = destination_option(default="127.0.0.1", help="Address to listen on."),
    port: int = destination_option(default=8888, min=0, max=65535, help="Port to listen on; 0 selects a free port."),
    api: PostbackApi = destination_option(
        default=PostbackApi.v2, help="API version; v2 rejects bodies over 1,048,064 bytes and a write key in the URL."
    ),
    write_key_file: Path | None = destination_option(
        metavar="FILE",
        help="File that contains the write key; rows sent with another key are not stored. [env: TD_WRITE_KEY]",
        show_default="any write key is accepted",
    ),
    store: Path = output_option(
        default=Path("rows.jsonl"),
        metavar="FILE",
        help="File that rows are appended to: CSV if it ends in .csv, else JSON Lines. All tables share it.",
    ),
    show_personal_data: bool = output_option(
        "--show-personal-data", default=False, help="Do not hide personal data on the page."
    ),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    fail: str | None = faults_option(
        metavar="NAME=P,…", help="Faults and their probabilities, such as 503=0.1,slow=0.1:2s.", show_default=False
    ),
    seed: int = faults_option(default=0, help="The same seed injects the same faults in the same order."),
    latency: str = faults_option(
        default="0s", metavar="DURATION", help="Delay before every response, such as 50ms or 2s."
    ),
    ingest_delay: str = faults_option(
        default="0s",
        metavar="DURATION",
        help="Delay between a response and its row in the store; rows are written at exit at the latest.",
    ),
    max_rows: int | None = faults_option(
        min=0, help="Return 507 after storing this number of rows.", show_default=False
    ),
    terminal: Terminal,
) -> ServeOutcome:
    """Run a local Postback endpoint that acts like Treasure Data's.

    Each request body becomes one row of the store, with the columns time and events. With a wrong write key the
    response is 200, as from Treasure Data, but the row is not stored; the log on standard error shows it.

    GET / is a page that shows what arrives, live: counts by event type, requests with the reasons of rejections, and
    the latest payloads with their problems. It answers only under the name of this machine or of --host.

    Ctrl-C or SIGTERM stops it with exit code 130 or 143 and prints a summary.

    Faults for --fail:

    - `503=0.1`: any status from 200 to 599; the row is not stored. `503=0.1:3s`
      adds Retry-After, which 429 always has.
    - `reset=0.1`: the connection is reset; the row is not stored.
    - `accept-then-reset=0.1`: the row is stored, then the connection is reset.
    - `slow=0.1:2s`: the row is stored, and the response is delayed.
    - `hang=0.1`: the row is not stored, and there is no response.
    """
    from td_currents_cli.live_page import LivePage  # noqa: PLC0415 -- only when it runs
    from td_currents_cli.render.serve import ServeLog, page_files, print_listening  # noqa: PLC0415 -- as above

    faults = FaultSettings(
        faults=parse_faults(fail) if fail is not None else (),
        seed=seed,
        latency=duration(latency, "--latency"),
        ingest_delay=duration(ingest_delay, "--ingest-delay"),
        max_rows=max_rows,
    )
    settings = ServeSettings(store=store, host=host, port=port, api=api, fault_settings=faults)
    request = ServeRequest(settings=settings, write_key_file=write_key_file)
    log, page = ServeLog(terminal), LivePage(host, page_files(), show_personal_data=show_personal_data)

    def listener(request: RequestLog) -> None:
        log.add(request)
        page.add(request)

    return run(
        request,
        started=lambda receiver: print_listening(receiver, write_key_file, terminal),
        listener=listener,
        page=page.layer,
    )
