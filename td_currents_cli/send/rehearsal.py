"""A dry run: what would be sent, what is delivered already, what would be refused, and the first request."""

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Final

from td_currents_cli.secret import redact
from td_currents_cli.send.endpoint import KEY_HEADER, Endpoint
from td_currents_cli.send.kept import Kept
from td_currents_cli.send.outcome import SendOutcome, exit_code_of
from td_currents_cli.send.payload import Payload, Unsendable
from td_currents_cli.send.tally import Tally
from td_currents_cli.send.within import Within


def rehearsed(plan: Within, endpoint: Endpoint, kept: Kept) -> SendOutcome:
    """The outcome of a dry run: the requests that would be made. What would be sent stays undelivered."""
    tally = Tally()
    first: Payload | None = None
    requests = size = 0
    for item in plan.items():
        if isinstance(item, Payload):
            first = first or item
            requests += 1
            size += len(item.body)
        elif isinstance(item, Unsendable):
            tally.bury(item.problems)
        else:
            tally.problem(item)
    problems = tally.problems()
    return SendOutcome(
        problems=problems,
        exit_code=exit_code_of(None, is_complete=not tally.dead, problems=problems),
        endpoint=endpoint.shown,
        dry_run=True,
        read=plan.read,
        already_delivered=plan.already_delivered,
        dead=tally.dead,
        undelivered=plan.read - plan.already_delivered - tally.dead,
        requests=requests,
        bytes=size,
        journal=kept.where.journal,
        dead_letter=kept.where.dead_letter,
        first_request=None if first is None else shell_command(first, endpoint),
        warnings=(*endpoint.warnings, *kept.warnings),
    )


def shell_command(payload: Payload, endpoint: Endpoint) -> str:
    """A request as a command for a shell that sends the same bytes.

    Of secrets it has the names of their variables; of the payload only its place, since a terminal is no place for
    personal data.
    """
    headers = dict(endpoint.headers())
    for name, variable in _SECRETS.items():
        if name in headers:
            headers[name] = variable
    if endpoint.kind.is_postback:
        # A dry run does without the key, the request does not.
        headers[KEY_HEADER] = _SECRETS[KEY_HEADER]
    options = " ".join(f'--header "{name}: {value}"' for name, value in headers.items())
    url = shlex.quote(redact(endpoint.url.reveal()))
    document = _command_for_body(payload)
    if document is None:
        size = f"{payload.events:,} events from {payload.location} on, {len(payload.body):,} bytes"
        remark = f'# body.json: {{"events": […]}} with the {size}'
        return f"{remark}\ncurl --request POST {options} --data-binary @body.json {url}"
    return f"{document} | curl --request POST {options} --data-binary @- {url}"


def _command_for_body(payload: Payload) -> str | None:
    """What prints the body, where it stands in a plain file as it is sent."""
    place, size = payload.location, len(payload.body)
    with suppress(OSError, ValueError), Path(place.source).open("rb") as file:
        if file.seekable():
            file.seek(place.offset)
            if file.read(size) == payload.body:
                return f"tail -c +{place.offset + 1} {shlex.quote(place.source)} | head -c {size}"
    return None


_SECRETS: Final = {KEY_HEADER: "$TD_WRITE_KEY", "Authorization": "Bearer $TDCUR_TOKEN"}
