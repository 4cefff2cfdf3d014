"""The command line: options in, a frozen request to the command's package, its outcome rendered, an exit code out."""

import atexit
import gc
import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> None:
    """Run the `tdcur` command."""
    # Imports leave little garbage, and at the end all memory goes at once: searching it takes a quarter of a small run.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        # Not where signals are ignored, as in the background of a shell.
        if signal.getsignal(number) == default:
            signal.signal(number, _exit_quietly)
    from td_currents_cli.cli.app import run  # noqa: PLC0415 -- takes a while, in which Ctrl-C shall not show a traceback

    run()


def _exit_quietly(number: int, _frame: FrameType | None) -> NoReturn:
    """End the process, with the exit code of the signal: nothing has been begun, or all is done."""
    os._exit(128 + number)


__all__ = ["main"]
