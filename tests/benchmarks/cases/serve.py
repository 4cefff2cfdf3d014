"""Does a page that someone looks at slow `serve` down? The same requests with and without it."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.case import TDCUR, Answer, Case, Contender, Goal, Peer, script, tdcur

_EVERY: Final = 3  # seconds, as in render/html/serve.js


@dataclass(slots=True)
class _Stage:
    url: str = ""

    @contextmanager
    def setting(self, _source: Path) -> Iterator[None]:
        """An endpoint that stores nothing."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = free.getsockname()
        command = [*tdcur(), "serve", "--port", str(address[1]), "--store", "/dev/null", "--quiet"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as endpoint:
            try:
                self.url = f"http://127.0.0.1:{address[1]}/postback/v3/event/benchmark/currents"
                while endpoint.poll() is None:
                    with suppress(OSError), socket.create_connection(address):
                        break
                    time.sleep(0.05)
                yield
            finally:
                endpoint.terminate()

    def post(self, seconds: float) -> tuple[str, ...]:
        return script("post", self.url, str(seconds))


_STAGE: Final = _Stage()
_CLOSED: Final = Peer("page closed", lambda: "0")


def _statuses(stdout: Path) -> Answer:
    found: Answer = json.loads(stdout.read_bytes())
    return found


CASES: Final = (
    Case(
        name="serve-page",
        title="payloads to `tdcur serve`, four requests at once, while its page is open",
        contenders=(
            Contender(peer=TDCUR, command=partial(_STAGE.post, _EVERY), answer=_statuses),
            Contender(peer=_CLOSED, command=partial(_STAGE.post, 0), answer=_statuses),
        ),
        goals=(Goal(0.95, (_CLOSED,)),),
        setting=_STAGE.setting,
    ),
)
