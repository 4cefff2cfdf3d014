"""Ctrl-C and SIGTERM while the event loop runs: told to a function instead of raised in the middle of something."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def handled(handler: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call the handler for each signal that comes; afterwards the signals do again what they did before."""
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    for each in _SIGNALS:
        loop.add_signal_handler(each, handler, each)
    try:
        yield
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, before[each])
