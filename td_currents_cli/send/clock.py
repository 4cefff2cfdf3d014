"""Time and randomness, as one argument: tests bring their own."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Where time and randomness come from."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time  # seconds since the epoch
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform

    async def pause(self, seconds: float, until: asyncio.Event) -> None:
        """Wait for that time, or until the event is set."""
        waits = (asyncio.ensure_future(self.sleep(seconds)), asyncio.ensure_future(until.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
