"""Why a run cannot go on: one class a cause, each with its exit code.

A bad record is never one of these: it is a `Problem`, a value in the stream (see `model`).

    TdcurError
    ├── UsageError            2  wrong usage or configuration
    ├── EndpointRefusedError  4  the endpoint refused us: 401, 403, 404, a redirect
    ├── UnreachableError      5  the endpoint could not be reached, or retries ran out
    ├── InputError            6  an input could not be read
    ├── OutputError           6  an output could not be written
    └── DefectError          70  tdcur itself is wrong
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process says to a script when it ends. The README holds the same table."""

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


class TdcurError(Exception):
    """A run that cannot go on.

    Attributes:
        message: what happened, where and why; one line, without payload content and without secrets.
        hint: what to do next, or an empty string.
    """

    exit_code: ClassVar[ExitCode]

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TdcurError):
    """Options or settings that do not fit together."""

    exit_code = ExitCode.USAGE


class EndpointRefusedError(TdcurError):
    """The endpoint answered that this URL or these credentials are wrong."""

    exit_code = ExitCode.REFUSED


class UnreachableError(TdcurError):
    """No answer from the endpoint that waiting would mend."""

    exit_code = ExitCode.UNREACHABLE


class InputError(TdcurError):
    """An input that could not be found or read."""

    exit_code = ExitCode.IO


class OutputError(TdcurError):
    """An output that could not be written."""

    exit_code = ExitCode.IO


class DefectError(TdcurError):
    """This program is wrong. Its code is the one `sysexits.h` has for that, so that no script takes it for findings."""

    exit_code = ExitCode.DEFECT
