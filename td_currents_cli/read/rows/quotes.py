"""Doubled quotes of CSV made single."""

import atexit
import os
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

MIN_SQLITE_SIZE: Final = 1 << 12
_MAX_SQLITE_SIZE: Final = 1 << 28


def undoubled(text: bytes) -> bytes:
    """Replace each pair of quotes by one.

    `bytes.replace` searches for each pair anew, which in JSON, with one every few bytes, takes two and a half times as
    long as the plain loop of SQLite: 0.62 s against 0.26 s for 290 MB, or 20 % of the CPU time of `tdcur parse`.
    """
    if not MIN_SQLITE_SIZE <= len(text) <= _MAX_SQLITE_SIZE:
        return text.replace(b'""', b'"')
    (found,) = _sqlite(os.getpid()).execute("""SELECT replace(?, '""', '"')""", (text,)).fetchone()
    result: bytes = found
    return result


@cache
def _sqlite(_process: int) -> "sqlite3.Connection":
    """Return a connection of this process: none may be carried over a fork."""
    import sqlite3  # noqa: PLC0415 -- most inputs are not large CSV

    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.text_factory = bytes
    atexit.register(connection.close)
    return connection
