"""`tdcur send`: options in, one run, one outcome."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS
from td_currents_cli.cli.common import Format, Paths, TextFormat, command
from td_currents_cli.cli.given import Given, refuse
from td_currents_cli.cli.verify import proof_of
from td_currents_cli.duration import duration
from td_currents_cli.names import Site
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.send_progress import When, shown
from td_currents_cli.render.terminal import Terminal

if TYPE_CHECKING:
    from td_currents_cli.send.sieve import Check

_WHERE: Final = "Where to"
_SECRETS: Final = "Credentials"
_BATCHES: Final = "Requests"
_PACE: Final = "Pace and patience"
_KEPT: Final = "What is kept"
_PROOF: Final = "Proof of ingestion"


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
    cacert: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_SECRETS, help="Authorities to trust, in PEM form. Else SSL_CERT_FILE."
        ),
    ] = None,
    client_cert: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=_SECRETS, help="Client certificate, in PEM form."),
    ] = None,
    client_key: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=_SECRETS, help="Its key, unless that is in the same file."),
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
    no_check: Annotated[
        bool,
        typer.Option(
            "--no-check", rich_help_panel=_BATCHES, help="Send also events that `tdcur validate` finds errors in."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", rich_help_panel=_BATCHES, help="Tell what would be sent, send nothing.")
    ] = False,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_KEPT,
            help="Where what was delivered is noted. Else TDCUR_JOURNAL, else a file in your state folder.",
        ),
    ] = None,
    no_journal: Annotated[
        bool, typer.Option("--no-journal", rich_help_panel=_KEPT, help="Note nothing: every run sends everything.")
    ] = False,
    resend: Annotated[
        bool, typer.Option("--resend", rich_help_panel=_KEPT, help="Send also what earlier runs delivered.")
    ] = False,
    dead_letter: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_KEPT,
            help="Where refused events go, each with the reason. Else a file beside the journal.",
        ),
    ] = None,
    concurrency: Annotated[
        str,
        typer.Option(
            metavar="auto|N",
            rich_help_panel=_PACE,
            help="Requests at once: N, or as many as the endpoint keeps up with.",
        ),
    ] = "auto",
    rate: Annotated[
        float | None,
        typer.Option(metavar="N", min=0.001, rich_help_panel=_PACE, help="Events a second, at most. Retries count."),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(metavar="S", min=0.001, rich_help_panel=_PACE, help="Seconds to connect, and to be answered."),
    ] = 30.0,
    retry_for: Annotated[
        str, typer.Option(metavar="DURATION", rich_help_panel=_PACE, help="Keep trying a request for so long.")
    ] = "15m",
    verify: Annotated[
        str | None,
        typer.Option(
            metavar="td://DATABASE/TABLE",
            rich_help_panel=_PROOF,
            help="Afterwards ask this table until all events are there, as `tdcur verify` does.",
        ),
    ] = None,
    verify_within: Annotated[
        str, typer.Option(metavar="DURATION", rich_help_panel=_PROOF, help="How long to wait for them.")
    ] = "10m",
    api_key_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_PROOF,
            help="File that holds the API key, which is not the write key. Else TD_API_KEY, ~/.td/td.conf.",
        ),
    ] = None,
    check_endpoint: Annotated[
        bool,
        typer.Option("--check-endpoint", help="Only try the endpoint, with Braze's connection test. Reads no PATH."),
    ] = False,
    progress: Annotated[
        When, typer.Option("--progress", help="When to show how far it is; always: also with --quiet.")
    ] = When.auto,
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
    terminal: Terminal,
    given: Given,
) -> Outcome:
    """Send payloads to Treasure Data, or to another endpoint, as Braze would.

    Events go out byte for byte, up to 100 in a request. What fails is tried
    again; what cannot be delivered is counted, and the exit code says so.
    """
    # A command loads only what it runs.
    from td_currents_cli.send import (  # noqa: PLC0415
        Destination,
        PayloadLimits,
        SendRequest,
        StateOptions,
        TlsFiles,
        run,
        run_connection_test,
    )
    from td_currents_cli.send.pace import concurrency_of  # noqa: PLC0415

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
    )
    if check_endpoint:
        return run_connection_test(destination, timeout=timeout, notice=terminal.say)
    request = SendRequest(
        paths=tuple(paths or ()),
        destination=destination,
        limits=PayloadLimits(events=batch_events, size=batch_bytes, repack=repack),
        check=None if no_check else _check(),
        state=StateOptions(journal=journal, no_journal=no_journal, dead_letter=dead_letter, resend=resend),
        concurrency=concurrency_of(concurrency, "--concurrency"),
        rate=rate,
        timeout=timeout,
        retry_for=duration(retry_for, "--retry-for"),
        dry_run=dry_run,
    )
    proof = None
    if verify is not None and not dry_run:
        proof = proof_of(paths, verify, verify_within, site=site, api_key_file=api_key_file)
    with shown(terminal, progress) as watch:
        outcome = run(request, notice=terminal.say, watch=watch)
    return outcome if proof is None else proof(outcome, terminal, progress)


def _check() -> "Check":
    from td_currents_cli import catalog  # noqa: PLC0415 -- as above
    from td_currents_cli.validate.check import Checker  # noqa: PLC0415

    return Checker(catalog.load(), int(time.time()))
