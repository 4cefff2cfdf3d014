"""Runs of the fuzzer: inputs one after another, until the time or the numbers are used up."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.inputs import Inputs
from tests.fuzz.laws import Broken, Checker
from tests.fuzz.process import Commands

TRIES: Final = 60  # at making a failing input smaller


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that breaks laws; `data` is what is left of it after removing what was not needed."""

    number: int
    name: str
    data: bytes
    broken: Broken


def fuzz(
    folder: Path,
    *,
    seed: int,
    numbers: Iterator[int],
    seconds: float,
    seen: Callable[[int, int], None] = lambda *_: None,
) -> Iterator[Failure]:
    """Yield the first failure of each kind. `seen` gets the number of inputs and runs so far."""
    end, inputs, kinds = time.monotonic() + seconds, Inputs(seed), set()
    with Commands(folder) as commands:
        checker = Checker(commands)
        for done, number in enumerate(numbers, 1):
            name, data = inputs.make(number)
            draws = f"{seed}-{number}"
            for broken in checker.check(name, data, draws):
                if broken.kind not in kinds:
                    kinds.add(broken.kind)
                    yield Failure(number, name, _smaller(checker, name, data, draws, broken), broken)
            seen(done, checker.runs)
            if time.monotonic() > end:
                return


def _smaller(checker: Checker, name: str, data: bytes, draws: str, broken: Broken) -> bytes:
    """Remove what is not needed to break the law."""

    def breaks(some: bytes) -> bool:
        return any(each.kind == broken.kind for each in checker.check_one(broken.method, name, some, draws))

    size, tries = len(data) // 2, 0
    while size and tries < TRIES:
        start = 0
        while start < len(data) and tries < TRIES:
            tries += 1
            less = data[:start] + data[start + size :]
            if breaks(less):
                data = less
            else:
                start += size
        size //= 2
    return data
