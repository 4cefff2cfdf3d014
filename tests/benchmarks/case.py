"""A case: one question, asked of `tdcur` and of its peers, and how each of them is started."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypeAlias

SCRIPTS: Final = Path(__file__).with_name("scripts")

Answer: TypeAlias = dict[str, Any]
"""What a contender found, by name, such as a count by event type. Those of one case must be equal."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool that can be asked the same question."""

    name: str  # as the table shows it
    version: Callable[[], str | None]  # None when it is not installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to ask a peer, as a competent user of it would."""

    peer: Peer
    command: Callable[[], tuple[str, ...]]  # the process, to which the path of the input is appended
    answer: Callable[[Path], Answer]  # reads the answer from the file with the standard output
    # Events that its command takes, where all would take too long; its times are scaled to all events. None: all.
    sample: int | None = None


MAX_MEMORY: Final = 150_000_000
"""Bytes of memory that `tdcur` may take at most, of any case: all inputs have lines or rows."""


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times as fast as the best of some peers `tdcur` is meant to be; 1 is ahead of all of them."""

    times: float
    than: tuple[Peer, ...]
    must: float | None = None  # what it must be in any case; None where there is only a goal

    def __str__(self) -> str:
        return f"{self.times:g} times as fast as {self.peers}"

    @property
    def peers(self) -> str:
        best_of = "the best of " if len(self.than) > 1 else ""
        return f"{best_of}{', '.join(peer.name for peer in self.than)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question."""

    name: str  # as the command line takes it
    title: str  # what is asked, as the table is headed
    shape: str = "payloads"  # the form of the input, as `tdcur generate --shape` names it
    events: int | None = None  # maximum number in the input, where what is asked would be another thing with more
    contenders: tuple[Contender, ...]  # `tdcur` first
    goals: tuple[Goal, ...] = ()  # what the project promises itself
    # What all contenders find there and none is charged with, such as a server; made for an input.
    setting: Callable[[Path], AbstractContextManager[object]] = nullcontext


@cache
def _of_package(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


@cache
def _of_program(name: str) -> str | None:
    if not shutil.which(name):
        return None
    said = subprocess.run([name, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    found = re.search(r"\d[\w.]*", said)
    return found[0] if found else "?"


def package(name: str, distribution: str) -> Peer:
    return Peer(name, partial(_of_package, distribution))


def program(name: str) -> Peer:
    return Peer(name, partial(_of_program, name))


TDCUR: Final = package("tdcur", "td-currents-cli")


@cache
def tdcur() -> tuple[str, ...]:
    """The command as it is installed beside this Python: no wrapper of a version manager is measured with it."""
    path = Path(sysconfig.get_path("scripts"), "tdcur")
    return (str(path),) if path.exists() else (sys.executable, "-m", "td_currents_cli")


def script(name: str, *arguments: str) -> tuple[str, ...]:
    """One of the scripts beside this module, run by this Python: the import of its package is measured too."""
    return (sys.executable, str(SCRIPTS / f"{name}.py"), *arguments)


def shell(pipeline: str) -> tuple[str, ...]:
    """A pipeline in which `$1` stands for the input. It fails when its last command does."""
    return ("sh", "-c", pipeline, "sh")
