"""Time that passes only when it is asked to."""

import asyncio
from dataclasses import dataclass, field

from td_currents_cli.send.retry import Clock


@dataclass
class FakeTime:
    """A clock that only moves when somebody sleeps or a request takes its time."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        """Without chance: every wait is its bound."""
        return Clock(now=lambda: self.now, wall=lambda: self.now, sleep=self.sleep, uniform=lambda _, high: high)
