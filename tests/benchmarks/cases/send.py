"""Payload lines into an endpoint on this machine, sixteen requests at once, with the journal on.

curl and hey are given more than they could ask for: curl finds every payload in a file of its own, hey sends the same
one over and over. Neither keeps a journal, counts events or would know what is missing. `tdcur` checks no events in the
other cases, since nobody else does; the last is what people run.
"""

import json
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.case import TDCUR, Answer, Case, Contender, Goal, Peer, program, script, shell, tdcur

_AT_ONCE: Final = 16
_LATENCY: Final = 0.05
_SHORT_LATENCY: Final = 0.02
_KEY: Final = "1/" + "0" * 40


@dataclass(slots=True)
class _Stage:
    """What a case has set up while it runs."""

    url: str = ""  # of the endpoint
    folder: Path = Path()  # of files that are needed
    requests: int = 0  # payloads in the input

    @contextmanager
    def setting(self, seconds: float, source: Path) -> Iterator[None]:
        """An endpoint that waits so long before each answer, and the files that the contenders want."""
        with (
            tempfile.TemporaryDirectory(prefix="tdcur-benchmark-send-") as name,
            subprocess.Popen(script("endpoint", str(seconds)), stdout=subprocess.PIPE) as endpoint,
        ):
            try:
                assert endpoint.stdout
                port = int(endpoint.stdout.readline())
                self.url = f"http://127.0.0.1:{port}/postback/v3/event/benchmark/currents"
                self.folder = Path(name)
                (self.folder / "key").write_text(_KEY)
                self.requests = self._split(source)
                yield
            finally:
                endpoint.terminate()

    def _split(self, source: Path) -> int:
        """A file for each payload, and one that tells curl of all of them."""
        requests = []
        with source.open("rb") as lines:
            for number, line in enumerate(lines):
                body = self.folder / f"{number}.json"
                body.write_bytes(line.rstrip(b"\n"))
                requests.append(
                    f'url = "{self.url}"\ndata-binary = "@{body}"\nheader = "Content-Type: application/json"\n'
                    f'header = "X-TD-Write-Key: {_KEY}"\nheader = "Expect:"\n'
                    'output = "/dev/null"\nwrite-out = "%{http_code}\\n"\n'
                )
        (self.folder / "curl").write_text("next\n".join(requests))
        return len(requests)

    def tdcur(self, *options: str) -> tuple[str, ...]:
        """Each run with a journal of its own: otherwise the second would have nothing to send."""
        journal = self.folder / f"{uuid.uuid4()}.sqlite"
        return (
            *(*tdcur(), "send", "--url", self.url, "--concurrency", str(_AT_ONCE), "--format", "json", "--quiet"),
            *("--write-key-file", str(self.folder / "key"), "--journal", str(journal), *options),
        )

    def curl(self) -> tuple[str, ...]:
        return shell(f"curl --silent --parallel --parallel-immediate --parallel-max {_AT_ONCE} -K {self.folder}/curl")

    def hey(self) -> tuple[str, ...]:
        # It makes the same number of requests on each connection.
        requests = -(-self.requests // _AT_ONCE) * _AT_ONCE
        headers = f"-T application/json -H 'X-TD-Write-Key: {_KEY}'"
        return shell(f"hey -m POST -n {requests} -c {_AT_ONCE} {headers} -D {self.folder}/0.json {self.url}")

    def ideal(self) -> tuple[str, ...]:
        return shell(f"sleep {self.requests * _LATENCY / _AT_ONCE}")


def _of_hey(stdout: Path) -> Answer:
    """Lines such as `  [200]	3008 responses`."""
    lines = (line.split() for line in stdout.read_text().splitlines() if line.endswith(" responses"))
    return _by_status({status.strip("[]"): int(count) for status, count, _ in lines})


def _by_status(requests: dict[str, int]) -> Answer:
    """Hey makes a few more requests than there are payloads: the number is not compared."""
    return {"some 200": bool(requests.get("200")), "others": sum(requests.values()) - requests.get("200", 0)}


_STAGE: Final = _Stage()
_CURL: Final = Contender(
    peer=program("curl"), command=_STAGE.curl, answer=lambda stdout: _by_status(Counter(stdout.read_text().split()))
)
_HEY: Final = Contender(peer=program("hey"), command=_STAGE.hey, answer=_of_hey)
# Nobody: the time that the endpoint alone would take.
_IDEAL: Final = Contender(
    peer=Peer("ideal", lambda: "0"), command=_STAGE.ideal, answer=lambda _: _by_status({"200": 1})
)


def _tdcur(*options: str) -> Contender:
    return Contender(
        peer=TDCUR,
        command=partial(_STAGE.tdcur, *options),
        answer=lambda stdout: _by_status(json.loads(stdout.read_bytes())["summary"]["requests_by_status"]),
    )


CASES: Final = (
    Case(
        name="send-curl",
        title=f"payloads to a fast endpoint, {_AT_ONCE} requests at once",
        contenders=(_tdcur("--no-check"), _CURL, _HEY),
        goals=(Goal(1, (_CURL.peer,)), Goal(0.5, (_HEY.peer,))),
        setting=partial(_STAGE.setting, 0),
    ),
    Case(
        name="send-latency",
        title=f"payloads to an endpoint with {_LATENCY * 1000:.0f} ms of latency, {_AT_ONCE} requests at once",
        contenders=(_tdcur("--no-check"), _CURL, _IDEAL),
        goals=(Goal(0.95, (_IDEAL.peer,)),),
        setting=partial(_STAGE.setting, _LATENCY),
    ),
    Case(
        name="send-20ms",
        title=f"payloads to an endpoint with {_SHORT_LATENCY * 1000:.0f} ms of latency, {_AT_ONCE} requests at once",
        events=150_000,
        contenders=(_tdcur("--no-check"), _CURL),
        goals=(Goal(0.97, (_CURL.peer,), must=0.93),),
        setting=partial(_STAGE.setting, _SHORT_LATENCY),
    ),
    Case(
        name="send-checked",
        title=f"payloads to a fast endpoint, {_AT_ONCE} requests at once, every event checked",
        contenders=(_tdcur(), _CURL),
        setting=partial(_STAGE.setting, 0),
    ),
)
