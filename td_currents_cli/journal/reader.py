"""The journal as the sent side of a comparison: which events each delivered request held, and nothing else of them."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import quote

import msgspec
from msgspec import Struct

from td_currents_cli.errors import InputError
from td_currents_cli.journal import schema

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# `id`, `event_type` and `time` of an event as they were sent; None for what was missing or of another type.
SentEvent: TypeAlias = tuple[str | None, str | None, int | float | str | None]

_sent_events: Final = msgspec.json.Decoder(list[SentEvent])


class JournalEndpoint(Struct, frozen=True, kw_only=True):
    """An endpoint with deliveries in a journal."""

    number: int  # in this journal; each key that was used with a URL makes an endpoint of its own
    url: str  # redacted
    batches: int  # requests that were delivered
    is_complete: (
        bool  # whether the events of all of them are known: not where a version of tdcur that recorded none sent
    )


def journal_endpoints(path: Path) -> list[JournalEndpoint]:
    """Return the endpoints with deliveries in a journal, in the order in which they were first used.

    Raises:
        InputError: the journal cannot be read, is not a journal, or has another format version.
    """
    with closing(_open_for_reading(path)) as connection:
        return _endpoints(connection, path)


def delivered_events(path: Path, *, endpoint: str | None = None) -> Iterator[list[SentEvent]]:
    """Yield the events of each delivered request, in the order of delivery.

    A request that was retried appears once; what was sent again after it had been delivered (`--resend`) appears
    again. Only one request is held in memory.

    Args:
        path: the file.
        endpoint: its URL as `journal_endpoints` shows it, which includes all keys that were used with it, or its
            number. None where the journal has a single URL.

    Raises:
        InputError: before the first request: the journal cannot be read, is not a journal, or has another format
            version; it has several URLs, or not this one, or not all of its events. Later: the journal is damaged.
    """
    connection = _open_for_reading(path)
    try:
        numbers = _chosen(_endpoints(connection, path), endpoint, path)
    except BaseException:
        connection.close()
        raise
    return _sent_batches(connection, numbers, path)


def _sent_batches(connection: sqlite3.Connection, numbers: frozenset[int], path: Path) -> Iterator[list[SentEvent]]:
    with closing(connection):
        try:
            for number, packed in connection.execute(schema.SELECT_SENT):
                if number in numbers:
                    yield _unpacked(packed)
        except (*schema.DAMAGE, zstd.ZstdError, LookupError) as error:
            raise _damaged(path) from error


def _unpacked(packed: bytes) -> list[SentEvent]:
    text = zstd.decompress(packed)
    try:
        return _sent_events.decode(text)
    except msgspec.DecodeError:
        # Lone surrogates, and numbers beyond 64 bits.
        return [(each[0], each[1], each[2]) for each in json.loads(text)]


def _chosen(known: list[JournalEndpoint], endpoint: str | None, path: Path) -> frozenset[int]:
    urls = list(dict.fromkeys(each.url for each in known))
    if endpoint is None and len(urls) > 1:
        raise InputError(f"the journal {path} has {len(urls)} endpoints", hint=f"Choose {' or '.join(urls)}.")
    chosen = [each for each in known if endpoint in {None, each.url, str(each.number)}]
    if endpoint is not None and not chosen:
        hint = f"It has {' or '.join(urls)}." if urls else "It has no deliveries yet."
        raise InputError(f"the journal {path} does not have this endpoint", hint=hint)
    if not all(each.is_complete for each in chosen):
        # It would stand for less than was sent, and what is missing of the rest would go unnoticed.
        raise InputError(
            f"the journal {path} has deliveries of an older tdcur that did not record which events it sent",
            hint="Name the payload files instead.",
        )
    return frozenset(each.number for each in chosen)


def _endpoints(connection: sqlite3.Connection, path: Path) -> list[JournalEndpoint]:
    try:
        rows = connection.execute(schema.SELECT_ENDPOINTS).fetchall()
        return [
            msgspec.convert(
                {"number": number, "url": url, "batches": batches, "is_complete": not older}, JournalEndpoint
            )
            for number, url, batches, older in rows
        ]
    except (*schema.DAMAGE, msgspec.ValidationError) as error:
        raise _damaged(path) from error


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
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            hint = "Wait for that run to end."
            raise InputError(f"the journal {path} is in use by another run of tdcur", hint=hint) from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_NOTADB:
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
        raise InputError(
            f"the journal {path} has format version {version}; this tdcur supports version {schema.VERSION}",
            hint="Use the version of tdcur that wrote it.",
        )
