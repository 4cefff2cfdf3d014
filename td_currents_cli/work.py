"""A process of its own for one thing."""

import signal
from collections.abc import Callable
from contextlib import suppress
from socket import socket, socketpair
from typing import Any

from td_currents_cli.parallel.pool import attempt, interrupts_blocked
from td_currents_cli.parallel.pool import worker_count as jobs_of

__all__ = ["Helper", "attempt", "jobs_of"]


class Helper:
    """Another process that works through one thing, and tells of it through a socket.

    Attributes:
        socket: our end of it. It ends when the process does.
    """

    def __init__(self, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Begin.

        Args:
            function: called in the other process with its end of the socket and the arguments.
            arguments: sent to it, where a child does not begin with all that this process has.

        Raises:
            OSError: there can be no other process.
        """
        from multiprocessing import Process  # noqa: PLC0415 -- small inputs do without

        self.socket, others = socketpair()
        try:
            with others:
                self._process = Process(target=_help, args=(self.socket, others, function, arguments), daemon=True)
                with interrupts_blocked():
                    self._process.start()
        except BaseException:
            self.socket.close()
            raise

    def close(self) -> None:
        """End it, whatever it does. A second time does nothing."""
        if self.socket.fileno() < 0:
            return
        self.socket.close()
        self._process.kill()
        self._process.join()
        self._process.close()


def _help(theirs: socket, ours: socket, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    theirs.close()
    # The process that is asked to stop sees to this one, once it has ended what it is at.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Where that process has gone, nobody listens.
    with suppress(BrokenPipeError, ConnectionResetError):
        function(ours, *arguments)
