"""Planning in a thread of its own, a few payloads ahead of delivery and no more.

Reading may block for as long as whoever writes to standard input likes; requests in flight must not wait for that.
Neither thread wakes the other for each payload, which would cost more than planning it: the reader sleeps until half
of what it was ahead has been taken, and the event loop is only woken when somebody waits for a payload.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Generator
from contextlib import closing, suppress
from typing import Self

from td_currents_cli.send.payload import Planned


class PayloadQueue:
    """Payloads of a plan, one by one, for any number of takers.

    Used inside the event loop, as a context: leaving it ends the reading, and raises what went wrong there.

    Args:
        planned: worked through in the thread, and closed there.
        ahead: maximum number of payloads that wait to be taken.
    """

    def __init__(self, planned: Generator[Planned], *, ahead: int) -> None:
        self._planned = planned
        self._ahead = ahead
        self._loop = asyncio.get_running_loop()
        self._items: deque[Planned] = deque()
        self._takers: deque[asyncio.Future[None]] = deque()
        self._room = threading.Event()
        self._has_ended = False
        self._is_closed = False
        self._error: BaseException | None = None
        # A daemon: when it hangs in a read that never returns, the process can end all the same.
        self._thread = threading.Thread(target=self._read, name="tdcur-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        # Long enough for the current document; what is stuck in a read stays behind.
        self._thread.join(timeout=1.0)
        if self._error is not None and kind is None:
            raise self._error

    async def get(self) -> Planned | None:
        while True:
            # Before the items, so that what was added before the end is not overlooked.
            has_ended = self._has_ended
            if self._items:
                break
            if has_ended:
                return None
            taker = self._loop.create_future()
            self._takers.append(taker)
            # Again, now that the reader sees the taker: what it added before that is there, what it adds from now on
            # wakes us.
            if self._items or self._has_ended:
                self._takers.remove(taker)
            else:
                await taker
        item = self._items.popleft()
        if len(self._items) <= self._ahead // 2:
            self._room.set()
        return item

    def close(self) -> None:
        """Read no more. Takers that wait get None."""
        self._is_closed = True
        self._has_ended = True
        self._items.clear()
        self._room.set()
        self._wake()

    def _wake(self) -> None:
        # As many takers as there are items; at the end all.
        for _ in range(len(self._takers) if self._has_ended else min(len(self._takers), len(self._items))):
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)

    def _read(self) -> None:
        try:
            with closing(self._planned) as planned:
                for item in planned:
                    self._wait_for_room()
                    if self._is_closed:
                        return
                    self._items.append(item)
                    if self._takers:
                        self._wake_soon()
        except BaseException as error:  # noqa: BLE001 -- raised again in the thread of the event loop
            self._error = error
        finally:
            self._has_ended = True
            self._wake_soon()

    def _wait_for_room(self) -> None:
        while len(self._items) >= self._ahead and not self._is_closed:
            self._room.clear()
            # Again, now that takers see that this thread is about to wait.
            if len(self._items) >= self._ahead and not self._is_closed:
                self._room.wait()

    def _wake_soon(self) -> None:
        # The loop may be closed by the time a blocked read returns.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake)
