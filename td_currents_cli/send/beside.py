"""The plan of a large input, made by another process: a second core reads and checks while this one sends."""

from collections.abc import Sequence
from functools import partial
from socket import socket
from typing import Final, TypeAlias

from msgspec.structs import replace

from td_currents_cli.read.sources import Source
from td_currents_cli.send.frames import send_frame
from td_currents_cli.send.inlet import Inlet
from td_currents_cli.send.payload import Limits, Payload, Planned
from td_currents_cli.send.sieve import Sieve
from td_currents_cli.send.within import Within
from td_currents_cli.work import Helper, attempt, jobs_of

LARGE: Final = 8_000_000
"""Bytes of input that are worth a process of their own: fewer are planned before it is there."""


def is_large(inputs: Sequence[Source]) -> bool:
    """Whether another process would help: the input is all in files, and large, and there is a core for it."""
    sizes = [source.plain_size() for source in inputs]
    return None not in sizes and sum(filter(None, sizes)) >= LARGE and jobs_of(None) > 1


_Told: TypeAlias = tuple[Planned | None, int, float | None, Exception | None]
"""What is planned, a payload without its body; nothing at the end. Then events read, the share of the input, and what
went wrong, if that is the end."""


class Beside:
    """The plan, made by another process, of what no earlier run has delivered anything of.

    To be made before there are threads, an event loop, or an open journal: none of them may be in two processes.

    Attributes:
        read: events seen so far, whatever becomes of them.
        already_delivered: none.
        is_exhausted: whether the input was worked through to its end.
        share: of the input that has been read, from 0 to 1; None where its size is not known.
    """

    already_delivered: Final = 0

    def __init__(self, inputs: Sequence[Source], limits: Limits, sieve: Sieve) -> None:
        """Begin.

        Args:
            inputs: what is read.
            limits: how large a request may be.
            sieve: what of it is not sent, without a ledger.

        Raises:
            OSError: there can be no other process.
        """
        self.read = 0
        self.is_exhausted = False
        self.share: float | None = None
        self._helper = Helper(_tell, (inputs, limits, sieve))

    def close(self) -> None:
        """End the other process, whatever it does."""
        self._helper.close()

    def feed(self, *, ahead: int) -> Inlet:
        """What is planned; `ahead` payloads may wait to be sent."""
        return Inlet(self._helper.socket, self._unpack, ahead=ahead)

    def _unpack(self, told: _Told, body: bytes) -> Planned | None:
        item, self.read, self.share, error = told
        if error is not None:
            raise error
        self.is_exhausted = item is None
        return replace(item, body=body) if isinstance(item, Payload) else item


Plan: TypeAlias = Within | Beside


def _tell(to: socket, inputs: Sequence[Source], limits: Limits, sieve: Sieve) -> None:
    plan = Within(inputs, limits, sieve)
    items = plan.items()
    while True:
        item, error = attempt(partial(next, items), None)
        payload = item if isinstance(item, Payload) else None
        told = item if payload is None else replace(payload, body=b"")
        all_told: _Told = (told, plan.read, plan.share, error)
        send_frame(to, all_told, b"" if payload is None else payload.body)
        if item is None:
            return
