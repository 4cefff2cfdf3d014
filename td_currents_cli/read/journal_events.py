"""A journal of `tdcur send`, read as the sent side: which events each delivered request held, and nothing else of them.

A journal may know several endpoints. `journal_endpoints` lists them; `delivered_events` wants to be told which one as
soon as there is more than one URL.
"""

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

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

APPLICATION: Final = 0x7464_636A
"""The `application_id` of a journal: `tdcj`."""

SCHEMA: Final = 2
"""Its `user_version`. Form 1 did not know which events a request held."""

SentEvent: TypeAlias = tuple[str | None, str | None, int | float | str | None]
"""`id`, `event_type` and `time` of an event as they were sent; None for what was missing or no such value."""

_events: Final = msgspec.json.Decoder(list[SentEvent])


class JournalEndpoint(Struct, frozen=True, kw_only=True):
    """An endpoint that a journal knows deliveries to.

    Attributes:
        number: in this journal. Each key that was used at a URL makes an endpoint of its own.
        url: as it may be shown.
        batches: requests that were delivered there.
        is_complete: whether the journal knows the events of all of them; not where a tdcur that noted none has sent.
    """

    number: int
    url: str
    batches: int
    is_complete: bool


def journal_endpoints(path: Path) -> list[JournalEndpoint]:
    """The endpoints that a journal knows deliveries to, in the order in which they were first used.

    Raises:
        InputError: it cannot be read, is no journal, or is one of another form.
    """
    with closing(_opened(path)) as connection:
        return _endpoints(connection, path)


def delivered_events(path: Path, *, endpoint: str | None = None) -> Iterator[list[SentEvent]]:
    """The events of each delivered request, one request after the other, in the order of their delivery.

    A request that was tried several times, or had an unknown result first, is there once; what was sent again after it
    had been delivered (`--resend`) is there again. No more than one request is held in memory.

    Args:
        path: the file.
        endpoint: its URL as `journal_endpoints` shows it, which stands for all keys that were used there, or its
            number as text. None where the journal knows one URL only.

    Raises:
        InputError: it cannot be read, is no journal, or is one of another form; several URLs to choose from, or no
            such endpoint, or one of which not all events are known. Raised before the first request is given; what is
            damaged further on, when it is met.
    """
    connection = _opened(path)
    try:
        numbers = _chosen(_endpoints(connection, path), endpoint, path)
    except BaseException:
        connection.close()
        raise
    return _batches(connection, numbers, path)


def _batches(connection: sqlite3.Connection, numbers: frozenset[int], path: Path) -> Iterator[list[SentEvent]]:
    with closing(connection):
        try:
            for number, packed in connection.execute("SELECT endpoint, events FROM sent ORDER BY id"):
                if number in numbers:
                    yield _unpacked(packed)
        except (sqlite3.Error, zstd.ZstdError, ValueError) as error:
            raise InputError(f"the journal {path} is damaged") from error


def _unpacked(packed: bytes) -> list[SentEvent]:
    text = zstd.decompress(packed)
    try:
        return _events.decode(text)
    except msgspec.DecodeError:
        # Lone surrogates, and numbers beyond 64 bits.
        return [(each[0], each[1], each[2]) for each in json.loads(text)]


def _chosen(known: list[JournalEndpoint], endpoint: str | None, path: Path) -> frozenset[int]:
    urls = list(dict.fromkeys(each.url for each in known))
    if endpoint is None and len(urls) > 1:
        raise InputError(f"the journal {path} knows {len(urls)} endpoints", hint=f"Choose {_listed(urls)}.")
    chosen = [each for each in known if endpoint in {None, each.url, str(each.number)}]
    if endpoint is not None and not chosen:
        hint = f"It knows {_listed(urls)}." if urls else "It knows of no delivery yet."
        raise InputError(f"the journal {path} knows no such endpoint", hint=hint)
    if not all(each.is_complete for each in chosen):
        # It would stand for less than was sent, and what is missing of the rest would go unnoticed.
        raise InputError(
            f"the journal {path} also knows deliveries of a tdcur that did not note which events it sent",
            hint="Name the payload files instead.",
        )
    return frozenset(each.number for each in chosen)


def _listed(urls: list[str]) -> str:
    return " or ".join(urls)


def _endpoints(connection: sqlite3.Connection, path: Path) -> list[JournalEndpoint]:
    try:
        rows = connection.execute(
            "SELECT id, shown, (SELECT count(*) FROM sent WHERE sent.endpoint = endpoint.id) AS batches, older"
            " FROM endpoint WHERE batches OR older ORDER BY id"
        ).fetchall()
    except sqlite3.Error as error:
        raise InputError(f"the journal {path} is damaged") from error
    return [
        JournalEndpoint(number=number, url=url, batches=batches, is_complete=not older)
        for number, url, batches, older in rows
    ]


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that can only read, to what is a journal for certain."""
    try:
        with path.open("rb"):
            pass
        return _connected(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {(error.strerror or type(error).__name__).lower()}") from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            hint = "Wait for that run to end."
            raise InputError(f"the journal {path} is in use by another run of tdcur", hint=hint) from error
        raise InputError(f"{path} is not a journal of tdcur, or damaged") from error


def _connected(path: Path) -> sqlite3.Connection:
    # Whoever has it open, or was stopped hard, has a file beside it. Without that it is read as it is: SQLite
    # would leave files there otherwise, or fail where it cannot.
    is_at_rest = not path.with_name(f"{path.name}-wal").exists()
    address = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if is_at_rest else ''}"
    connection = sqlite3.connect(address, uri=True, timeout=1.0)
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        _check(path, application, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(path: Path, application: int, schema: int) -> None:
    if application != APPLICATION:
        raise InputError(f"{path} is not a journal of tdcur")
    if schema < SCHEMA:
        raise InputError(
            f"the journal {path} is of a tdcur that did not note which events it sent",
            hint="`tdcur send` with this journal notes those that it sends from now on.",
        )
    if schema > SCHEMA:
        raise InputError(
            f"the journal {path} has the form {schema}, this tdcur knows the form {SCHEMA}",
            hint="Use the tdcur that wrote it.",
        )
