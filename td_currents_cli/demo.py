"""The whole way on the samples, through a local endpoint: the commands a person would type, and what they print."""

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Final

from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.outcome import Outcome

Say = Callable[[str], None]

SAMPLES: Final = "sample_data"
KEY: Final = "1/0123456789abcdef0123456789abcdef01234567"
"""Has the form of a write key and opens nothing: the local endpoint takes any."""

START_SECONDS: Final = 30


class DemoFailedError(TdcurError):
    """A command of the demo did not end as it should."""

    exit_code = ExitCode.FINDINGS


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What the demo is told.

    Attributes:
        say: prints one line; the commands print for themselves.
        options: that every command is given, beside those that are said.
    """

    say: Say
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutcome(Outcome):
    """Every command ended as it should. What they found, they have said themselves."""

    command: ClassVar[str] = "demo"


@dataclass(slots=True)
class _Shell:
    """Runs `tdcur` in a folder, saying each command as a person would type it."""

    folder: Path
    say: Say
    options: tuple[str, ...]
    python: list[str] = field(default_factory=lambda: [sys.executable, "-m", __package__ or ""])

    def run(self, *arguments: str) -> None:
        """Run a command to its end, its output shown.

        Raises:
            DemoFailedError: it exited with anything but 0.
        """
        self.say(f"\n$ tdcur {shlex.join(arguments)}")
        # One stream, so that what is said and what is data stand in the order they came.
        ended = subprocess.run(  # noqa: S603 -- our own program
            [*self.python, *arguments, *self.options], cwd=self.folder, stderr=subprocess.STDOUT, check=False
        )
        if ended.returncode:
            raise DemoFailedError(f"`tdcur {arguments[0]}` exited with {ended.returncode}")

    @contextmanager
    def background(self, *arguments: str, log: str) -> Iterator[Path]:
        """Run a command beside the others, its talk in a file of the folder; terminated at the end."""
        self.say(f"\n$ tdcur {shlex.join(arguments)} 2> {log} &")
        path = self.folder / log
        with path.open("wb") as stderr:
            process = subprocess.Popen([*self.python, *arguments], cwd=self.folder, stderr=stderr)  # noqa: S603 -- as above
            try:
                yield path
            finally:
                process.terminate()
                process.wait()


def run(request: DemoRequest) -> DemoOutcome:
    """Validate, send, parse and count the samples in a temporary folder, then prove that all of them have arrived.

    Raises:
        DemoFailedError: one of the commands failed.
    """
    with tempfile.TemporaryDirectory(prefix="tdcur-demo-") as name:
        folder = Path(name)
        shutil.copytree(samples(), folder / SAMPLES)
        (folder / "write_key").write_text(KEY + "\n", encoding="utf-8")
        shell = _Shell(folder, request.say, request.options)
        request.say(
            "The samples of this package on their way through a local Postback endpoint, in a temporary folder."
        )
        shell.run("validate", f"{SAMPLES}/payloads")
        with shell.background("serve", "--port", "0", "--store", "rows.jsonl", log="serve.log") as log:
            url = _url(log).replace("DATABASE", "demo").replace("TABLE", "currents")
            request.say(f"listening: {url}")
            # A journal of its own: that of the person's state folder may know this port from an earlier demo.
            shell.run(
                "send",
                f"{SAMPLES}/payloads",
                "--url",
                url,
                "--write-key-file",
                "write_key",
                "--journal",
                "sent.journal",
            )
        shell.run("parse", "rows.jsonl", "--output", "events.jsonl")
        shell.run("count", "rows.jsonl")
        shell.run("reconcile", "--sent", f"{SAMPLES}/payloads", "--ingested", "rows.jsonl")
    return DemoOutcome()


def samples() -> Path:
    """The samples: beside the modules in an installed package, at the top of a checkout."""
    installed = Path(str(files("td_currents_cli"))) / SAMPLES
    return installed if installed.is_dir() else Path(__file__).parents[1] / SAMPLES


def _url(log: Path) -> str:
    """The address the endpoint says it listens at."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for word in log.read_text(encoding="utf-8").split():
            if word.startswith("http://") and word.endswith("/DATABASE/TABLE"):
                return word
        time.sleep(0.02)
    raise DemoFailedError("the local endpoint did not start", hint="Try `tdcur serve` by itself.")
