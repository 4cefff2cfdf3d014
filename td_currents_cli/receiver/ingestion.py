"""Between the answer and the store: rows that appear later, and a store that is full."""

import asyncio
from collections import deque
from contextlib import suppress

from td_currents_cli.receiver.refusal import HttpError
from td_currents_cli.receiver.row import StoredRow
from td_currents_cli.receiver.store import Store


class DelayedStore:
    """Puts rows into a store: at once, or after a while in the order in which they came.

    Treasure Data answers first and shows the row minutes later. Rows that still wait when the receiver is stopped are
    written then, as Treasure Data would show them in the end; those of a receiver that is killed are lost.
    """

    def __init__(self, store: Store, *, delay: float = 0.0, max_rows: int | None = None) -> None:
        """Take over a store, which `close` closes.

        Args:
            store: an open one.
            delay: seconds until a row appears.
            max_rows: after so many rows no more are taken.
        """
        self._store = store
        self._delay = delay
        self._max_rows = max_rows
        self._rows = 0
        self._waiting: deque[StoredRow] = deque()

    def append(self, row: StoredRow) -> None:
        """Take a row; with a delay only while an event loop runs.

        Raises:
            Refusal: 507, the store is full.
            OSError: it could not be written.
        """
        if self._rows == self._max_rows:
            raise HttpError(507, f"the store is full: it takes {self._max_rows:,} rows")
        if self._delay:
            self._waiting.append(row)
            asyncio.get_running_loop().call_later(self._delay, self._ingest)
        else:
            self._store.append(row)
        self._rows += 1

    def close(self) -> None:
        """Write what waits, and close the store. Raises OSError."""
        try:
            while self._waiting:
                self._ingest_next()
        finally:
            self._store.close()

    def _ingest(self) -> None:
        # Its sender has been answered: what cannot be written is tried again with the next row, and at the end.
        with suppress(OSError):
            self._ingest_next()

    def _ingest_next(self) -> None:
        self._store.append(self._waiting[0])
        self._waiting.popleft()
