"""Runs the main commands on the sample data through a local endpoint, as a user would type them."""

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Final

from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.outcome import Outcome

SAMPLES: Final = "sample_data"
KEY: Final = "1/0123456789abcdef0123456789abcdef01234567"
"""Has the format of a write key but is not one: the local endpoint accepts any."""

PYTHON: Final = (sys.executable, "-m", __package__ or "")


class DemoFailedError(TdcurError):
    exit_code = ExitCode.FINDINGS


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """How the demo prints a line (the commands print for themselves), and options for every command."""

    write: Callable[[str], None]
    options: tuple[str, ...] = ()  # not shown


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutcome(Outcome):
    """Every command succeeded and has printed its own results."""

    command: ClassVar[str] = "demo"


@dataclass(frozen=True, slots=True)
class _Shell:
    """Runs `tdcur` in a folder, and prints each command as a user would type it."""

    folder: Path
    request: DemoRequest

    def run(self, *arguments: str) -> None:
        """Run a command, and show its output. Raises DemoFailedError if it fails."""
        self.request.write(f"\n$ tdcur {shlex.join(arguments)}")
        # One stream keeps messages and data in order.
        ended = subprocess.run(  # noqa: S603 -- our own program
            [*PYTHON, *arguments, *self.request.options], cwd=self.folder, stderr=subprocess.STDOUT, check=False
        )
        if ended.returncode:
            raise DemoFailedError(f"`tdcur {arguments[0]}` exited with {ended.returncode}")

    @contextmanager
    def background(self, *arguments: str, log: str) -> Iterator[Path]:
        """Run a command in the background, with stderr in a file of the folder, and terminate it at the end."""
        self.request.write(f"\n$ tdcur {shlex.join(arguments)} 2> {log} &")
        path = self.folder / log
        with path.open("wb") as stderr:
            process = subprocess.Popen([*PYTHON, *arguments], cwd=self.folder, stderr=stderr)  # noqa: S603 -- as above
            try:
                yield path
            finally:
                process.terminate()
                process.wait()


def run(request: DemoRequest) -> DemoOutcome:
    """Validate, send, parse and count the sample data in a temporary folder, then check that all events arrived.

    Raises:
        DemoFailedError: a command failed.
    """
    with tempfile.TemporaryDirectory(prefix="tdcur-demo-") as name:
        folder = Path(name)
        shutil.copytree(samples(), folder / SAMPLES)
        (folder / "write_key").write_text(KEY + "\n", encoding="utf-8")
        shell = _Shell(folder, request)
        request.write("Sending the sample data through a local Postback endpoint, in a temporary folder.")
        shell.run("validate", f"{SAMPLES}/payloads")
        with shell.background("serve", "--port", "0", "--store", "rows.jsonl", log="serve.log") as log:
            url = _url(log).replace("DATABASE", "demo").replace("TABLE", "currents")
            request.write(f"listening: {url}")
            # The default journal may know this port from an earlier demo.
            options = ("--url", url, "--write-key-file", "write_key", "--journal", "sent.journal")
            shell.run("send", f"{SAMPLES}/payloads", *options)
        shell.run("parse", "rows.jsonl", "--output", "events.jsonl")
        shell.run("count", "rows.jsonl")
        shell.run("reconcile", "--sent", f"{SAMPLES}/payloads", "--ingested", "rows.jsonl")
    return DemoOutcome()


def samples() -> Path:
    """The folder of sample data: next to the modules in an installed package, at the top of a checkout."""
    installed = Path(str(files("td_currents_cli"))) / SAMPLES
    return installed if installed.is_dir() else Path(__file__).parents[1] / SAMPLES


def _url(log: Path) -> str:
    """The URL that the endpoint prints."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for word in log.read_text(encoding="utf-8").split():
            if word.startswith("http://") and word.endswith("/DATABASE/TABLE"):
                return word
        time.sleep(0.02)
    raise DemoFailedError("the local endpoint did not start", hint="Run `tdcur serve` to see why.")
