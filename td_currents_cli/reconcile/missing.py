"""Reads the sides again where they differ: writes the missing events and ids, and fetches the ids of examples."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import BinaryIO

from td_currents_cli.errors import InputError
from td_currents_cli.events.dedupe import digest
from td_currents_cli.reconcile.compare import DiffCollector
from td_currents_cli.reconcile.fingerprints import Bitmap
from td_currents_cli.reconcile.side import DiffKind, FetchedEvent, ReconcileRequest, Side
from td_currents_cli.write.files import PayloadWriter, atomic_output


def report_missing(
    request: ReconcileRequest, differences: DiffCollector, *, write: bool
) -> tuple[dict[DiffKind, tuple[str, ...]], int | None]:
    """Write the missing events and their ids, if requested and `write`; return example ids and a number of payloads.

    The ids are in the order read. The number is None without --missing-file, or if nothing was written.

    Files are written even if nothing is missing, and are empty then: a file of an earlier run could be mistaken for
    the result of this one.
    """
    requested = write and (request.resend or request.ids)
    payloads = _write_missing(request, differences.missing) if requested else None
    return _examples(request, differences), payloads if request.resend else None


def _write_missing(request: ReconcileRequest, missing: Bitmap) -> int:
    """Write the files; return the number of payloads."""
    check = 0
    with _output(request.resend) as events, _output(request.ids) as ids:
        writer = PayloadWriter(events) if events else None
        for fetched in _fetch(request.sent, missing):
            check ^= int.from_bytes(digest(fetched.event_id), "big")
            if ids:
                ids.write(_line(fetched.event_id))
            if writer and fetched.event is not None:
                writer.add(fetched.event)
        if check != missing.check:
            raise InputError(
                "the sent events have changed while they were compared",
                hint="Wait until nothing writes to them, and run the command again.",
            )
        if writer:
            writer.flush()
        return writer.payloads if writer else 0


def _examples(request: ReconcileRequest, differences: DiffCollector) -> dict[DiffKind, tuple[str, ...]]:
    first = {kind: each.digests() for kind, each in differences.examples.items()}
    missing = first.pop(DiffKind.MISSING)
    ids = _ids(request.ingested, {position: digest for each in first.values() for position, digest in each.items()})
    examples = {kind: tuple(ids[each] for each in positions if each in ids) for kind, positions in first.items()}
    return examples | {DiffKind.MISSING: tuple(_ids(request.sent, missing).values())}


def _ids(side: Side, digests: Mapping[int, bytes]) -> dict[int, str]:
    """The ids at some positions, except where the event is no longer the same."""
    marked = Bitmap(max(digests, default=0) + 1)
    for position, expected in digests.items():
        marked.add(position, expected)
    fetched = _fetch(side, marked)
    return {each.position: each.event_id for each in fetched if digest(each.event_id) == digests[each.position]}


def _fetch(side: Side, marked: Bitmap) -> Iterator[FetchedEvent]:
    if marked.count:
        with closing(side.fetch_again(marked)) as events:
            yield from events


def _output(path: Path | None) -> AbstractContextManager[BinaryIO | None]:
    return nullcontext() if path is None else atomic_output(path)


def _line(event_id: str) -> bytes:
    r"""An id as a line; a line end in it is written as `\n`."""
    text = event_id if event_id.isprintable() else event_id.encode("unicode_escape").decode()
    return text.encode(errors="backslashreplace") + b"\n"
