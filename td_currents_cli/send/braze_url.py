"""`tdcur url`: the URL to paste into Braze, whose Treasure Data export has no other setting."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import resolve


class BrazeUrlOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "url"
    unmasked: ClassVar[tuple[str, ...]] = ("url",)  # with --show-key

    url: str
    has_key: bool  # otherwise it has `***` in its place

    def data(self) -> dict[str, object]:
        return {"url": self.url, "has_key": self.has_key}


def run(
    destination: Destination, environ: Mapping[str, str], *, show_key: bool, notice: Callable[[str], None]
) -> BrazeUrlOutcome:
    """Write the URL. Makes no request; `notice` is called with each warning.

    Raises:
        UsageError: the destination is not a table of Treasure Data's Postback API, or there is no write key.
    """
    endpoint = resolve(destination, environ)
    url = endpoint.braze_url(show_key=show_key)
    if url is None:
        if endpoint.kind.is_postback:
            endpoint.require_credentials()
        raise UsageError(
            f"{endpoint.shown} is not a URL of Treasure Data's Postback API, which Braze's Treasure Data export needs",
            hint="Name a table with --site, --database and --table.",
        )
    for warning in endpoint.warnings:
        notice(warning)
    return BrazeUrlOutcome(url=url, has_key=show_key)
