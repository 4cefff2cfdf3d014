"""A case: one question, asked of `tdcur` and of its peers."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.benchmarks.peers import Peer

Answer: TypeAlias = Mapping[str, object]
"""What a contender found, by name, such as a count by event type. Those of one case must be equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to ask a peer, as a competent user of it would."""

    peer: Peer
    command: Callable[[], tuple[str, ...]]  # the process, to which the path of the input is appended
    answer: Callable[[Path], Answer]  # reads the answer from the file with the standard output
    # Events that its command takes, where all would take too long; its times are scaled to all events. None: all.
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times as fast as the best of some peers `tdcur` is meant to be; 1 is ahead of all of them."""

    times: float
    than: tuple[Peer, ...]

    def __str__(self) -> str:
        faster = "ahead of" if self.times == 1 else f"{self.times:g} times as fast as"
        best_of = "the best of " if len(self.than) > 1 else ""
        return f"{faster} {best_of}{', '.join(peer.name for peer in self.than)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question."""

    name: str  # as the command line takes it
    title: str  # what is asked, as the table is headed
    shape: str  # the form of the input, as `tdcur generate --shape` names it
    contenders: tuple[Contender, ...]  # `tdcur` first
    goals: tuple[Goal, ...] = ()  # what the project promises itself
    # What all contenders find there and none is charged with, such as a server; made for an input.
    setting: Callable[[Path], AbstractContextManager[object]] = nullcontext
