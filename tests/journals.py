"""Journals with deliveries, and files that are none."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from td_currents_cli.journal.events import SentEvent, packed
from td_currents_cli.journal.keys import EndpointIdentity, document_key
from td_currents_cli.journal.schema import APPLICATION_ID, VERSION
from td_currents_cli.journal.writer import Journal

URL = "https://example.com/x"


def opened(path: Path, url: str = URL, key: bytes | None = b"c") -> Journal:
    return Journal(path, identity=EndpointIdentity(url=url.encode(), credential=key), shown=url)


def delivered(path: Path, *keys: bytes, url: str = URL, key: bytes = b"c", events: Sequence[SentEvent] = ()) -> None:
    """Record a run with a request for each of these keys, all with the same events."""
    with closing(opened(path, url, key)) as journal:
        for each in keys:
            journal.record(each, packed(events))


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for each in statements:
            connection.execute(each)


def _text(path: Path) -> None:
    path.write_bytes(b"something else entirely\n" * 100)


def _newer(path: Path) -> None:
    changed(path, f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {VERSION + 1}")


def _cut_off(path: Path) -> None:
    delivered(path, *(document_key(b"%d" % number) for number in range(3000)))
    # The next run moves them into the table of deliveries.
    opened(path).close()
    os.truncate(path, path.stat().st_size // 2)


def _damaged(path: Path) -> None:
    """SQLite puts the text of a damaged schema into its message, and Python fails to decode that."""
    shutil.copy(Path(__file__).parent / "cases" / "journal_damaged.sqlite", path)


OTHER_FILES: Sequence[tuple[Callable[[Path], None], str]] = (
    (_text, "not a journal"),
    (lambda path: changed(path, "CREATE TABLE photos (id)"), "not a journal"),
    (_newer, f"format version {VERSION + 1}"),
    (_cut_off, "damaged"),
    (_damaged, r"the journal .* is damaged"),
    (os.mkdir, "directory"),
)
"""What makes such a file, and what is said of it."""
