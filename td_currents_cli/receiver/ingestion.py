"""A store whose rows appear with a delay, and that can be full."""

import asyncio
from collections import deque
from contextlib import suppress

from td_currents_cli.receiver.refusal import HttpError
from td_currents_cli.receiver.row import StoredRow
from td_currents_cli.receiver.store import Store


class DelayedStore:
    """Appends rows to a store at once, or after a delay, in order.

    Treasure Data responds first and shows the row minutes later. Rows that are pending at shutdown are written then;
    those of a killed process are lost.
    """

    def __init__(self, store: Store, *, delay: float = 0.0, max_rows: int | None = None) -> None:
        """`close` closes the store. `delay` is in seconds."""
        self._store = store
        self._delay = delay
        self._max_rows = max_rows
        self._rows = 0
        self._pending: deque[StoredRow] = deque()

    def append(self, row: StoredRow) -> None:
        """Store a row; with a delay, an event loop must be running.

        Raises:
            HttpError: 507, the store is full.
            OSError: the row could not be written.
        """
        if self._rows == self._max_rows:
            raise HttpError(507, f"the store is full: its maximum is {self._max_rows:,} rows")
        if self._delay:
            self._pending.append(row)
            asyncio.get_running_loop().call_later(self._delay, self._ingest)
        else:
            self._store.append(row)
        self._rows += 1

    def close(self) -> None:
        """Write the pending rows, and close the store. Raises OSError."""
        try:
            while self._pending:
                self._ingest_next()
        finally:
            self._store.close()

    def _ingest(self) -> None:
        # Its sender has its response: a failed write is retried with the next row, and at the end.
        with suppress(OSError):
            self._ingest_next()

    def _ingest_next(self) -> None:
        self._store.append(self._pending[0])
        self._pending.popleft()
