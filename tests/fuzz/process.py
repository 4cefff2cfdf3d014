"""Commands in forks of one process that has everything imported: exact as processes are, and ten times as fast.

Run as `python -m tests.fuzz.process`: reads a request per line from standard input, writes a response per line.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from typer.testing import CliRunner

from td_currents_cli.cli import main
from td_currents_cli.cli.app import app
from td_currents_cli.parallel import splits

TIMEOUT: Final = 30.0  # seconds
MEMORY: Final = 4 << 30  # bytes of address space


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended; `code` is negative if a signal ended it, and None if time was up."""

    arguments: tuple[str, ...]
    code: int | None
    out: bytes
    err: str


class Commands:
    """Runs commands of `tdcur`, in one folder, until the end of the `with` block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        self._host = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._host.stdin
        assert self._host.stdout
        self._host.stdin.close()
        self._host.wait()
        self._host.stdout.close()

    def run(self, *arguments: str, stdin: bytes = b"", split: int = 0) -> Result:
        """Run a command; with `split`, files are read in splits of so many bytes."""
        assert self._host.stdin
        assert self._host.stdout
        (self.folder / "stdin").write_bytes(stdin)
        request = {"arguments": arguments, "folder": str(self.folder), "split": split}
        self._host.stdin.write(json.dumps(request).encode() + b"\n")
        self._host.stdin.flush()
        code = json.loads(self._host.stdout.readline())
        err = (self.folder / "stderr").read_text("utf-8", "backslashreplace")
        return Result(arguments, code, (self.folder / "stdout").read_bytes(), err)


def _preload() -> None:
    """Import what the commands would import, by running them."""
    payload = '{"events":[{"event_type":"x","id":"1","time":1}]}'
    runner = CliRunner()
    for line in (
        "validate --format json",
        "validate --format sarif",
        "validate --format junit",
        "count --format json",
        "count --by day",
        "parse --to csv",
        "parse --summary /dev/null",
        "send --dry-run --no-check --site us01 --database abc --table abc --format json",
        "reconcile --sent /dev/null --ingested /dev/null",
    ):
        runner.invoke(app, line.split(), input=payload)
    runner.invoke(app, ["parse", "--to", "parquet", "-o", os.devnull], input=payload)


def _serve() -> None:
    _preload()
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


def _run(request: dict[str, Any]) -> int | None:
    child = os.fork()
    if not child:
        _become(request["arguments"], Path(request["folder"]), request["split"])
    signal.signal(signal.SIGALRM, _time_is_up)
    signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except TimeoutError:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _time_is_up(_number: int, _frame: object) -> None:
    raise TimeoutError


def _become(arguments: Sequence[str], folder: Path, split: int) -> None:
    """Be the process of a command."""
    os.setsid()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.chdir(folder)
    for number, name, flags in (
        (0, "stdin", os.O_RDONLY),
        (1, "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(name, flags), number)
    # Not what this process has read ahead.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- kept to the end
    if split:
        vars(splits).update(MIN_SIZE=1, SPLIT_SIZES=(split,))
    sys.argv = ["tdcur", *arguments]
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 -- a traceback is what is looked for
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
