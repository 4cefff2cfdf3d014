"""`tdcur url`."""

import os

from td_currents_cli.braze import Site
from td_currents_cli.cli import options
from td_currents_cli.cli.command import OutputFormat, command, destination_option
from td_currents_cli.config import Config
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal


@command(
    examples=(
        "tdcur url --site us01 --database braze --table raw --write-key-file key.txt",
        "tdcur url --site us01 --database braze --table raw --show-key | pbcopy",
    )
)
def url(
    *,
    postback_url: str | None = options.DESTINATION_URL,
    site: Site | None = options.DESTINATION_SITE,
    database: str | None = options.DESTINATION_DATABASE,
    table: str | None = options.DESTINATION_TABLE,
    write_key_file: str | None = options.WRITE_KEY_FILE,
    show_key: bool = destination_option("--show-key", default=False, help="Print the write key instead of ***."),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    terminal: Terminal,
    settings: Config,
) -> Outcome:
    """Print the URL to paste into Braze's Treasure Data export.

    Braze's form has one field and sets no header: the URL is that of a v1 host, with the URL-encoded write key in it.
    Makes no request.
    """
    from td_currents_cli.send.braze_url import run  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.send.destination import Destination  # noqa: PLC0415

    destination = Destination(
        url=postback_url, site=site, database=database, table=table, write_key_file=write_key_file
    ).completed(os.environ, settings)
    return run(destination, os.environ, show_key=show_key, notice=terminal.report)
