"""Runs the main commands on the sample data through a local endpoint, as a user would type them."""

import os
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
NEXT: Final = """
Next, with your own files:
  tdcur validate payloads/   checks them
  tdcur serve                runs such an endpoint, and prints how to use it
  tdcur help                 lists all commands
"""
PYTHON: Final = (sys.executable, "-m", __package__ or "")


class DemoFailedError(TdcurError):
    exit_code = ExitCode.FINDINGS


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """How the demo prints a line (the commands print for themselves), and options for every command."""

    write: Callable[[str], None]
    options: tuple[str, ...] = ()  # not shown


class DemoOutcome(Outcome, frozen=True, kw_only=True):
    """Every command succeeded and has printed its own results."""

    command: ClassVar[str] = "demo"


@dataclass(frozen=True, slots=True)
class _Shell:
    """Runs `tdcur` in a folder, and prints each command as a user would type it."""

    folder: Path
    request: DemoRequest

    def run(self, *arguments: str, **variables: str) -> None:
        """Run a command, and show its output. Raises DemoFailedError if it fails."""
        words = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        line = " ".join([*words, "tdcur", shlex.join(arguments)])
        self.request.write(f"\n$ {line}".replace(" --url ", " \\\n    --url "))
        # One stream keeps messages and data in order.
        ended = subprocess.run(  # noqa: S603 -- our own program
            [*PYTHON, *arguments, *self.request.options],
            cwd=self.folder,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,  # no next command is suggested
            stderr=subprocess.STDOUT,
            check=False,
        )
        if ended.returncode:
            raise DemoFailedError(f"`tdcur {arguments[0]}` exited with {ended.returncode}")

    @contextmanager
    def background(self, *arguments: str, log: str) -> Iterator[Path]:
        """Run a command in the background, with stderr in a file of the folder, and terminate it at the end."""
        self.request.write(f"\n$ tdcur {shlex.join(arguments)} 2> {log} &")
        path = self.folder / log
        with path.open("wb") as stderr:
            # Any key is accepted, whatever the user has set.
            environment = os.environ | {"TD_WRITE_KEY": ""}
            process = subprocess.Popen(  # noqa: S603 -- as above
                [*PYTHON, *arguments], cwd=self.folder, env=environment, stderr=stderr
            )
            try:
                yield path
                self.request.write("\n$ kill %1")
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
        shell = _Shell(folder, request)
        request.write("Sample events go through a local Postback endpoint, in a temporary folder.")
        shell.run("validate", f"{SAMPLES}/payloads")
        with shell.background("serve", "--port", "0", "--store", "rows.jsonl", log="serve.log") as log:
            url = _url(log).replace("DATABASE", "demo").replace("TABLE", "currents")
            request.write(f"listening: {url}")
            # The default journal may know this port from an earlier demo.
            shell.run("send", f"{SAMPLES}/payloads", "--no-journal", "--url", url, TD_WRITE_KEY="any")
        shell.run("parse", "rows.jsonl", "--output", "events.jsonl")
        shell.run("count", "events.jsonl", "--limit", "10")
        shell.run("reconcile", "--sent", f"{SAMPLES}/payloads", "--ingested", "rows.jsonl")
    request.write(NEXT.rstrip())
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
