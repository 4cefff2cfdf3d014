"""The plan, worked through by a thread of its own, a few payloads ahead of delivery and no more.

Reading may block for as long as whoever writes to standard input likes; requests in flight must not wait for that.
"""

import asyncio
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from typing import Self

from td_currents_cli.send.plan import Planned


class Feed:
    """What the plan gives, one by one, for as many takers as there are.

    Used inside the event loop, as a context: leaving it ends the reading, and raises what went wrong there.

    Attributes:
        is_exhausted: whether the plan was worked through to its end.
    """

    def __init__(self, planned: Generator[Planned], *, ahead: int) -> None:
        """Prepare; reading begins when the context is entered.

        Args:
            planned: worked through in the thread, and closed there.
            ahead: how many may wait to be taken.
        """
        self.is_exhausted = False
        self._planned = planned
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Planned | None] = asyncio.Queue()
        self._room = threading.Semaphore(ahead)
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
        """What comes next; None at the end."""
        item = await self._queue.get()
        if item is None:
            # For the next taker.
            self._queue.put_nowait(None)
        else:
            self._room.release()
        return item

    def close(self) -> None:
        """Read no more. Takers that wait get None."""
        self._is_closed = True
        self._room.release()
        self._queue.put_nowait(None)

    def _read(self) -> None:
        try:
            with closing(self._planned) as planned:
                for item in planned:
                    self._room.acquire()
                    if self._is_closed:
                        return
                    self._hand_over(item)
            self.is_exhausted = True
        except BaseException as error:  # noqa: BLE001 -- raised again in the thread of the event loop
            self._error = error
        finally:
            self._hand_over(None)

    def _hand_over(self, item: Planned | None) -> None:
        # The loop may be gone by the time a blocked read returns.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
