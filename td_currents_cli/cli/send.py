"""`tdcur send`."""

import os
import time
from pathlib import Path

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS, Site
from td_currents_cli.cli import options
from td_currents_cli.cli.command import (
    ExplicitOptions,
    OutputFormat,
    checks_option,
    command,
    destination_option,
    filters_option,
    limits_option,
    output_option,
    refuse,
    state_option,
)
from td_currents_cli.cli.verify import verify_request, verify_sent
from td_currents_cli.config import Config
from td_currents_cli.durations import duration
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import ProgressLine, Terminal


@command(
    examples=(
        "tdcur send payloads/ --site us01 --database braze --table currents",
        "tdcur send payloads/ --site us01 --database braze --table currents --dry-run",
        "tdcur send a.json --url http://127.0.0.1:8888/postback/v3/event/demo/currents",
    )
)
def send(
    paths: list[str] | None = options.PATHS,
    *,
    url: str | None = options.DESTINATION_URL,
    site: Site | None = options.DESTINATION_SITE,
    database: str | None = options.DESTINATION_DATABASE,
    table: str | None = options.DESTINATION_TABLE,
    write_key_file: str | None = options.WRITE_KEY_FILE,
    token_file: str | None = options.TOKEN_FILE,
    cacert: str | None = options.CACERT,
    client_cert: str | None = options.CLIENT_CERT,
    client_key: str | None = options.CLIENT_KEY,
    allow_http: bool = options.ALLOW_HTTP,
    check_endpoint: bool = destination_option(
        "--check-endpoint", default=False, help="Only test the endpoint, with Braze's connection test. Reads no PATH."
    ),
    show_key: bool = destination_option(
        "--show-key", default=False, help="With --check-endpoint: print the write key in the URL for Braze."
    ),
    dry_run: bool = output_option(
        "-n", "--dry-run", default=False, help="Show what would be sent, without sending it."
    ),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    concurrency: str = limits_option(
        default="auto", metavar="auto|N", help="Maximum concurrent requests; auto adapts to the endpoint."
    ),
    rate: float | None = limits_option(min=0.001, help="Maximum events per second, including retries."),
    timeout: float = limits_option(
        default=30.0, min=0.001, help="Seconds to wait for a connection, and for a response."
    ),
    retry_for: str | None = limits_option(
        metavar="DURATION",
        help="How long to retry a request before giving up.",
        show_default="15m, or 1m if the endpoint was never reached",
    ),
    batch_events: int = limits_option(default=MAX_EVENTS, min=1, help="Maximum events per request."),
    batch_bytes: int = limits_option(default=MAX_BYTES, min=1, help="Maximum bytes per request body."),
    repack: bool = limits_option("--repack", default=False, help="Combine events of several documents in a request."),
    journal: Path | None = state_option(
        metavar="FILE",
        help="File that records delivered events. [env: TDCUR_JOURNAL]",
        show_default="a file in the state folder",
    ),
    no_journal: bool = state_option("--no-journal", default=False, help="Record nothing: every run sends everything."),
    resend: bool = state_option("--resend", default=False, help="Also send events that earlier runs delivered."),
    dead_letter: Path | None = state_option(
        metavar="FILE",
        help="File for rejected events, each with the reason.",
        show_default="a file next to the journal",
    ),
    no_check: bool = checks_option(
        "--no-check", default=False, help="Also send events in which `tdcur validate` finds errors."
    ),
    lossy: bool = checks_option(
        "--lossy",
        default=False,
        help="Also send rows of the streaming connector, whose event times and fractions are lost.",
    ),
    identified_only: bool = filters_option(
        "--identified-only",
        default=False,
        help="Leave out events of users without external_user_id, which Braze does not send to Treasure Data.",
    ),
    verify: str | None = checks_option(
        metavar="td://DATABASE/TABLE", help="Then query this table until all events are stored, as `tdcur verify` does."
    ),
    verify_within: str = checks_option(
        default="10m", metavar="DURATION", help="With --verify: how long to wait for events."
    ),
    api_key_file: str | None = checks_option(
        metavar="FILE",
        help="With --verify: file that contains the API key (not the write key). [env: TD_API_KEY]",
        show_default="from ~/.td/td.conf",
    ),
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    terminal: Terminal,
    line: ProgressLine,
    given: ExplicitOptions,
    settings: Config,
) -> Outcome:
    """Send payloads to Treasure Data or another endpoint, like Braze.

    Events are sent byte for byte, up to 100 per request. Failed requests are retried; the exit code says whether all
    events were delivered.
    """
    # A command loads only what it runs.
    from td_currents_cli.read import byte_size  # noqa: PLC0415
    from td_currents_cli.send import (  # noqa: PLC0415
        Destination,
        PayloadLimits,
        SendRequest,
        StateOptions,
        TlsFiles,
        run,
        run_connection_test,
    )
    from td_currents_cli.send.concurrency import concurrency_of  # noqa: PLC0415

    if not check_endpoint:
        refuse(given & {"--show-key"}, "`send` without --check-endpoint", "Add --check-endpoint.")
    if verify is None:
        refuse(given & {"--verify-within", "--api-key-file"}, "`send` without --verify", "Add --verify td://….")
    destination = Destination(
        url=url,
        site=site,
        database=database,
        table=table,
        write_key_file=write_key_file,
        token_file=token_file,
        allow_http=allow_http,
        tls=TlsFiles(cacert=cacert, client_cert=client_cert, client_key=client_key),
    ).completed(os.environ, settings)
    if check_endpoint:
        return run_connection_test(destination, timeout=timeout, show_key=show_key, notice=terminal.report)
    check = None
    if not no_check:
        from td_currents_cli import catalog  # noqa: PLC0415
        from td_currents_cli.validate.checker import Checker  # noqa: PLC0415

        check = Checker(catalog.load(), int(time.time()))
    request = SendRequest(
        paths=tuple(paths or ()),
        destination=destination,
        limits=PayloadLimits(events=batch_events, size=batch_bytes, repack=repack),
        check=check,
        state=StateOptions(journal=journal, no_journal=no_journal, dead_letter=dead_letter, resend=resend),
        concurrency=concurrency_of(concurrency),
        rate=rate,
        timeout=timeout,
        retry_for=None if retry_for is None else duration(retry_for, "--retry-for"),
        dry_run=dry_run,
        lossy=lossy,
        identified_only=identified_only,
        max_document_size=byte_size(max_document_size),
        event_type=event_type,
    )
    verification = None
    if verify is not None and not dry_run:
        size = request.max_document_size
        verification = verify_request(
            paths,
            verify,
            verify_within,
            site=site,
            api_key_file=api_key_file,
            max_document_size=size,
            event_type=event_type,
            identified_only=identified_only,
        )
    outcome = run(request, notice=terminal.report, watch=line.watch)
    return outcome if verification is None else verify_sent(outcome, verification, terminal, line)
