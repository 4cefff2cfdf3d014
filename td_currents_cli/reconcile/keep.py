"""The second reading, where there are differences: the missing events and ids, and the ids of examples."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from td_currents_cli.errors import InputError
from td_currents_cli.events.dedupe import digest
from td_currents_cli.reconcile.differences import Differences
from td_currents_cli.reconcile.marks import Marks
from td_currents_cli.reconcile.request import Kind, ReconcileRequest
from td_currents_cli.reconcile.side import Found, Side
from td_currents_cli.write.atomic import atomic_output
from td_currents_cli.write.payloads import PayloadWriter


class Kept(Struct, frozen=True):
    """What came of it.

    Attributes:
        examples: the first ids of each kind of difference, in the order read.
        payloads: payloads that were written; None when there was no file to write them to.
    """

    examples: Mapping[Kind, tuple[str, ...]]
    payloads: int | None


def keep(request: ReconcileRequest, differences: Differences) -> Kept:
    """Write the missing events and their ids, where that was asked for, and fetch the ids of examples.

    The files are written also when nothing is missing, and are empty then: what an earlier run left there would be
    taken for the result of this one.

    Raises:
        InputError: a side has changed since it was read first.
        OutputError: a file cannot be written.
    """
    payloads = _write_missing(request, differences.missing) if request.resend or request.ids else None
    examples = _examples(request, differences)
    return Kept(examples, payloads if request.resend else None)


def _write_missing(request: ReconcileRequest, missing: Marks) -> int:
    """How many payloads there are in the file, now that it is written."""
    check = 0
    with _output(request.resend) as events, _output(request.ids) as ids:
        writer = PayloadWriter(events) if events else None
        for found in _found(request.sent, missing):
            check ^= int.from_bytes(digest(found.event_id), "big")
            if ids:
                ids.write(_line(found.event_id))
            if writer and found.event is not None:
                writer.add(found.event)
        if check != missing.check:
            raise InputError(
                "what was sent has changed while it was compared",
                hint="Wait until nobody writes to it any more, and run this again.",
            )
        if writer:
            writer.flush()
        return writer.payloads if writer else 0


def _examples(request: ReconcileRequest, differences: Differences) -> dict[Kind, tuple[str, ...]]:
    found: dict[Kind, tuple[str, ...]] = {}
    of_ingested: dict[int, bytes] = {}
    for kind, earliest in differences.examples.items():
        if kind is not Kind.MISSING:
            of_ingested |= earliest.digests()
    ids = _ids(request.ingested, of_ingested)
    for kind, earliest in differences.examples.items():
        known = _ids(request.sent, earliest.digests()) if kind is Kind.MISSING else ids
        found[kind] = tuple(known[place] for place in earliest.places() if place in known)
    return found


def _ids(side: Side, places: Mapping[int, bytes]) -> dict[int, str]:
    """The ids at some places, as far as what stands there is what stood there."""
    marks = Marks(max(places, default=0) + 1)
    for place, expected in places.items():
        marks.add(place, expected)
    return {each.place: each.event_id for each in _found(side, marks) if digest(each.event_id) == places[each.place]}


def _found(side: Side, marks: Marks) -> Iterator[Found]:
    if marks.count:
        with closing(side.again(marks)) as found:
            yield from found


@contextmanager
def _output(path: Path | None) -> Iterator[BinaryIO | None]:
    if path is None:
        yield None
        return
    with atomic_output(path) as output:
        yield output


def _line(event_id: str) -> bytes:
    r"""An id on a line; a line end in it is `\n`."""
    text = event_id if event_id.isprintable() else event_id.encode("unicode_escape").decode()
    return text.encode(errors="backslashreplace") + b"\n"
