"""The journal as the sent side of a comparison: which events each delivered request held, and nothing else of them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from td_currents_cli.errors import InputError
from td_currents_cli.journal import schema
from td_currents_cli.journal.events import DAMAGE, SentEvent, unpacked


class JournalEndpoint(Struct, frozen=True):
    """An endpoint with deliveries in a journal, with all keys that were used for it."""

    url: str  # redacted
    has_older: bool  # whether an older tdcur delivered to it, which did not record the events
    requests: int  # those whose events are recorded


def journal_endpoints(path: Path) -> list[JournalEndpoint]:
    """Return the endpoints, in the order of their first use.

    Raises:
        InputError: the journal cannot be read, is not a journal, or has another format version.
    """
    with closing(_open_for_reading(path)) as connection:
        try:
            rows = connection.execute(schema.COUNT_REQUESTS).fetchall()
            return [JournalEndpoint(*row) for row in msgspec.convert(rows, list[tuple[str, bool, int]], strict=False)]
        except (*schema.DAMAGE, msgspec.ValidationError) as error:
            raise _damaged(path) from error


def delivered_events(path: Path, *, endpoint: str | None = None) -> Iterator[list[SentEvent]]:
    """Yield the events of each delivered request, in the order of delivery.

    A request that was retried appears once; what was sent again after it had been delivered (`--resend`) appears
    again. Only one request is held in memory.

    Args:
        path: the file.
        endpoint: its redacted URL, which includes all keys that were used with it, or its number in this journal, where
            each key that was used with a URL makes an endpoint of its own. None where the journal has a single URL.

    Raises:
        InputError: before the first request: the journal cannot be read, is not a journal, or has another format
            version; it has several URLs, or not this one, or not all of its events. Later: the journal is damaged.
    """
    connection = _open_for_reading(path)
    try:
        numbers = _chosen(connection, endpoint, path)
    except BaseException:
        connection.close()
        raise
    return _sent_batches(connection, numbers, path)


def _sent_batches(connection: sqlite3.Connection, numbers: frozenset[int], path: Path) -> Iterator[list[SentEvent]]:
    with closing(connection):
        try:
            for number, packed in connection.execute(schema.SELECT_SENT):
                if number in numbers:
                    yield unpacked(packed)
        except (*schema.DAMAGE, *DAMAGE) as error:
            raise _damaged(path) from error


def _chosen(connection: sqlite3.Connection, endpoint: str | None, path: Path) -> frozenset[int]:
    try:
        rows = connection.execute(schema.SELECT_ENDPOINTS).fetchall()
        known = msgspec.convert(rows, list[tuple[int, str, int]])
    except (*schema.DAMAGE, msgspec.ValidationError) as error:
        raise _damaged(path) from error
    urls = list(dict.fromkeys(url for _, url, _ in known))
    if endpoint is None and len(urls) > 1:
        raise InputError(f"the journal {path} has {len(urls)} endpoints", hint=f"Choose {' or '.join(urls)}.")
    chosen = {number: older for number, url, older in known if endpoint in {None, url, str(number)}}
    if endpoint is not None and not chosen:
        hint = f"It has {' or '.join(urls)}." if urls else "It has no deliveries yet."
        raise InputError(f"the journal {path} does not have this endpoint", hint=hint)
    if any(chosen.values()):
        # It would stand for less than was sent, and what is missing of the rest would go unnoticed.
        raise InputError(
            f"the journal {path} has deliveries of an older tdcur that did not record which events it sent",
            hint="Name the payload files instead.",
        )
    return frozenset(chosen)


def _damaged(path: Path) -> InputError:
    return InputError(f"the journal {path} is damaged", hint="Name the payload files with --sent instead.")


def _open_for_reading(path: Path) -> sqlite3.Connection:
    try:
        with path.open("rb"):
            pass
        return _connect_read_only(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {(error.strerror or type(error).__name__).lower()}") from error
    except schema.DAMAGE as error:
        code = schema.error_code(error)
        if code == sqlite3.SQLITE_BUSY:
            hint = "Wait for that run to end."
            raise InputError(f"the journal {path} is in use by another run of tdcur", hint=hint) from error
        if code != sqlite3.SQLITE_NOTADB:
            raise _damaged(path) from error
        raise InputError(f"{path} is not a journal of tdcur, or is damaged") from error


def _connect_read_only(path: Path) -> sqlite3.Connection:
    # A run that has it open, or was stopped hard, leaves a file next to it. Without that file it is opened as
    # immutable: SQLite would create such files otherwise, or fail where it cannot.
    is_at_rest = not path.with_name(f"{path.name}-wal").exists()
    address = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if is_at_rest else ''}"
    connection = sqlite3.connect(address, uri=True, timeout=1.0)
    try:
        _check_format(path, *schema.format_of(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _check_format(path: Path, application: int, version: int) -> None:
    if application != schema.APPLICATION_ID:
        raise InputError(f"{path} is not a journal of tdcur")
    if version < schema.VERSION:
        raise InputError(
            f"the journal {path} was written by an older tdcur that did not record which events it sent",
            hint="`tdcur send` with this journal records those that it sends from now on.",
        )
    if version > schema.VERSION:
        raise InputError(schema.unsupported(path, version), hint="Use the version of tdcur that wrote it.")
