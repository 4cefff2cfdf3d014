"""Errors that stop a run, each with its exit code.

A bad record is never an exception but a `Problem`, a value in the stream (see `model`).

    TdcurError
    ├── UsageError            2  wrong usage or configuration
    ├── EndpointRefusedError  4  the endpoint refuses us: 401, 403, 404, a redirect
    ├── UnreachableError      5  the endpoint could not be reached, retries ran out, or another run is at work
    ├── InputError            6  an input could not be read
    ├── OutputError           6  an output could not be written
    └── DefectError          70  a defect of tdcur
"""

from enum import IntEnum
from typing import ClassVar, Final


class ExitCode(IntEnum):
    """Exit codes of the process."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    REFUSED = 4
    UNREACHABLE = 5
    IO = 6
    DEFECT = 70
    INTERRUPTED = 130
    TERMINATED = 143


EXIT_MEANINGS: Final = {
    ExitCode.OK: "done, no problems",
    ExitCode.FINDINGS: "done, and the data has problems or differs, such as invalid events or different counts",
    ExitCode.USAGE: "wrong usage or configuration",
    ExitCode.INCOMPLETE: "delivery incomplete: fix the dead letters, or repeat the command for undelivered events",
    ExitCode.REFUSED: "the endpoint refuses us: 401, 403, 404, a redirect",
    ExitCode.UNREACHABLE: "the endpoint is not reachable, retries ran out, or another run is inserting: try later",
    ExitCode.IO: "an input could not be read, or an output could not be written",
    ExitCode.DEFECT: "a defect of tdcur; TDCUR_DEBUG=1 prints the traceback to report",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "terminated (SIGTERM)",
}


def install_hint(extra: str) -> str:
    """Say how to install an optional part: from a checkout, as on the index anybody could claim the package's name."""
    return f"In a checkout: python3 -m pip install '.[{extra}]'"


class TdcurError(Exception):
    """An error that stops a run.

    The message says what happened, where and why, on one line, without payload content and secrets. The hint says what
    to do next.
    """

    exit_code: ClassVar[ExitCode]

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TdcurError):
    exit_code = ExitCode.USAGE


class EndpointRefusedError(TdcurError):
    exit_code = ExitCode.REFUSED


class UnreachableError(TdcurError):
    exit_code = ExitCode.UNREACHABLE


class InputError(TdcurError):
    exit_code = ExitCode.IO


class OutputError(TdcurError):
    exit_code = ExitCode.IO


class DefectError(TdcurError):
    """A defect of this program; its exit code is the one of `sysexits.h`, which no problem in the data has."""

    exit_code = ExitCode.DEFECT

    @classmethod
    def of(cls, error: BaseException) -> "DefectError":
        """Return the defect that an unexpected exception shows."""
        # The message of a foreign exception may contain payload content: its type and place are enough for a report.
        frame = error.__traceback__
        while frame and frame.tb_next:
            frame = frame.tb_next
        file = frame.tb_frame.f_code.co_filename if frame else ""
        place = f"{file.replace(chr(92), '/').rpartition('/')[2]}:{frame.tb_lineno}" if frame else "an unknown place"
        defect = cls(
            f"internal error in tdcur: {type(error).__name__} in {place}",
            hint="Please report it with the traceback that TDCUR_DEBUG=1 prints.",
        )
        defect.__cause__ = error
        return defect
