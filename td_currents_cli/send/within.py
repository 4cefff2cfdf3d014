"""The plan, made by this process while it sends."""

from collections.abc import Generator, Sequence

from td_currents_cli.read import records
from td_currents_cli.read.sources import Source
from td_currents_cli.send.feed import Feed
from td_currents_cli.send.payload import Limits, Planned
from td_currents_cli.send.plan import Planner
from td_currents_cli.send.progress import Way
from td_currents_cli.send.sieve import Sieve


class Within(Planner):
    """The plan of some inputs."""

    def __init__(self, inputs: Sequence[Source], limits: Limits, sieve: Sieve) -> None:
        super().__init__(limits, sieve)
        self._inputs = inputs
        self._way = Way(inputs)

    @property
    def share(self) -> float | None:
        """Of the input that has been read, from 0 to 1; None where its size is not known."""
        return self._way.share

    def items(self) -> Generator[Planned]:
        """What is planned, to be read once."""
        return self.plan(self._way.watch(records(self._inputs)))

    def feed(self, *, ahead: int) -> Feed:
        """What is planned, in a thread; `ahead` payloads may wait to be sent. To be called in the event loop."""
        return Feed(self.items(), ahead=ahead)
