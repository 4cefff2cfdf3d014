"""The page of `serve`: static tables, which the script `serve.js` replaces by live ones."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Final

from td_currents_cli.live_page import Summary
from td_currents_cli.live_page.summary import LatestPayload, LatestRequest, TypeCount
from td_currents_cli.render.grid import Cell, Grid, GridColumn
from td_currents_cli.render.html import Figure, page
from td_currents_cli.render.serve import RESULTS
from td_currents_cli.render.terminal import amount, percent
from td_currents_cli.serve.app import PATH
from td_currents_cli.serve.stats import RequestResult

OTHER_TYPES: Final = "(other types)"
NO_TYPE: Final = "(no event_type)"
PATH_START: Final = PATH.partition("{")[0]
"""Of nearly all requests, not worth its place in a table."""


def serve_page(summary: Summary, host: str) -> str:
    """Format what has arrived as a page, for a browser that got it from this host and port."""
    url = f"http://{host}{PATH.format(database='demo', table='currents')}"
    return page(
        "serve.html",
        command=f"TD_WRITE_KEY=any tdcur send payloads/ --url {url}",
        figures=list(_figures(summary)),
        words=json.dumps(
            {"results": RESULTS, "other_types": OTHER_TYPES, "no_type": NO_TYPE, "path_start": PATH_START}
        ),
        is_empty=not summary.requests,
        masked=summary.masked,
        shown_at=_clock(summary.now),
        types=_type_grid(summary),
        payloads=_payload_grid(summary.payloads),
        not_stored=_request_grid(summary.not_stored, "Latest requests that were not stored"),
        requests=_request_grid(summary.requests, "Latest requests"),
        minutes=_minute_grid(summary),
    )


def _figures(summary: Summary) -> Iterator[Figure]:
    totals = summary.totals
    yield Figure(totals["events"], "events stored")
    yield Figure(totals["stored"], "rows stored")
    yield Figure(totals["requests"], "requests")
    yield Figure(totals["not_stored"], "requests not stored", "warning" if totals["not_stored"] else "")


def _type_grid(summary: Summary) -> Grid:
    counts = [
        *summary.event_types,
        *(
            TypeCount(name, number)
            for name, number in ((OTHER_TYPES, summary.other_event_types), (NO_TYPE, summary.without_event_type))
            if number
        ),
    ]
    total = sum(each.events for each in counts)
    most = max((each.events for each in counts), default=1)
    return Grid(
        columns=(
            GridColumn(head="event type", cells=[Cell(each.event_type) for each in counts], foldable=True),
            GridColumn(
                head="",
                cells=[Cell(part=each.events / most) for each in counts],
                graphic=True,
                scale=f"{most:,}",
            ),
            GridColumn(head="events", cells=[Cell(f"{each.events:,}") for each in counts], right=True),
            GridColumn(head="share", cells=[Cell(percent(each.events / total)) for each in counts], right=True),
        ),
        has_foot=False,
        title="Stored events by type",
    )


def _payload_grid(payloads: Sequence[LatestPayload]) -> Grid:
    return Grid(
        columns=(
            GridColumn(head="payload", cells=[Cell(f"{each.number}") for each in payloads], right=True),
            GridColumn(head="time", cells=[Cell(_clock(each.at)) for each in payloads]),
            GridColumn(head="problems", cells=[_problems(each) for each in payloads]),
            GridColumn(
                head="event types",
                cells=[
                    Cell(", ".join(f"{_short(named.event_type)} ({named.events:,})" for named in each.event_types))
                    for each in payloads
                ],
                foldable=True,
            ),
            GridColumn(head="events", cells=[_number(each.events) for each in payloads], right=True),
            GridColumn(head="bytes", cells=[_number(each.size) for each in payloads], right=True),
        ),
        has_foot=False,
        title="Latest payloads",
    )


def _problems(payload: LatestPayload) -> Cell:
    if payload.errors is None or payload.warnings is None:
        return Cell("not checked yet")
    if not (payload.errors or payload.warnings):
        return Cell("none", "green")
    numbers = ((payload.errors, "error"), (payload.warnings, "warning"))
    words = ", ".join(amount(number, name) for number, name in numbers if number)
    return Cell(words, "red" if payload.errors else "yellow")


def _request_grid(requests: Sequence[LatestRequest], title: str) -> Grid:
    return Grid(
        columns=(
            GridColumn(head="request", cells=[Cell(f"{each.number}") for each in requests], right=True),
            GridColumn(head="time", cells=[Cell(_clock(each.at)) for each in requests]),
            GridColumn(
                head="path",
                cells=[Cell(f"{each.method} {each.target.replace(PATH_START, '…/')}") for each in requests],
                foldable=True,
            ),
            GridColumn(head="status", cells=[Cell(f"{each.status or 'no response'}") for each in requests], right=True),
            GridColumn(head="result", cells=[_result(each) for each in requests], foldable=True),
        ),
        has_foot=False,
        title=title,
    )


def _result(request: LatestRequest) -> Cell:
    words = ": ".join(filter(None, (RESULTS[RequestResult(request.result)], request.reason)))
    if request.fault and request.fault not in request.reason:
        words += f", fault {request.fault}"
    return Cell(words, "" if request.result in {"stored", "connection_test"} else "yellow")


def _minute_grid(summary: Summary) -> Grid:
    line = summary.last_hours
    minutes = [(line.begin + index * line.seconds, events) for index, events in enumerate(line.events) if events]
    return Grid(
        columns=(
            GridColumn(head="minute", cells=[Cell(time.strftime("%H:%M", time.localtime(at))) for at, _ in minutes]),
            GridColumn(head="events", cells=[Cell(f"{events:,}") for _, events in minutes], right=True),
        ),
        has_foot=False,
        title="Stored events by minute, last 2 hours",
    )


def _short(event_type: str) -> str:
    return ".".join(event_type.split(".")[-2:])


def _number(number: int | None) -> Cell:
    return Cell("" if number is None else f"{number:,}")


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))
