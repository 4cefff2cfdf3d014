"""One process from start to end: how long it took, and what it took."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of `ru_maxrss`: getrusage(2) gives bytes on macOS, kilobytes on Linux."""


class FailedError(Exception):
    """A process that did not end well. The message says how, with the last line of its standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process took."""

    wall: float  # seconds from before it is started until it has ended
    cpu: float  # seconds of user and system time, of the process and of the descendants it has waited for
    # Bytes of memory at their highest, of the process or of one descendant it has waited for, whichever is largest: no
    # sum over processes, and never below what this process had when it started them (`floor`).
    peak: int


def run(command: Sequence[str], *, stdout: Path, folder: Path) -> Run:
    """Run a process to its end in a folder, which gets its standard error.

    Raises:
        FailedError: it exits with another code than 0.
    """
    errors = folder / "stderr.txt"
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    with stdout.open("wb") as out, errors.open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code:
        lines = errors.read_text(errors="replace").strip().splitlines()
        how = f"stopped by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise FailedError(f"{how}: {lines[-1]}" if lines else how)
    return Run(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * _MAXRSS_UNIT)


def floor() -> int:
    """Bytes below which a peak cannot be told: Linux starts a child's `ru_maxrss` at what its parent has."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
