"""Commands in forks of this process, which has everything imported: exact as processes are, and ten times as fast."""

import os
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from typing import Final

from typer.testing import CliRunner

from td_currents_cli.cli import main
from td_currents_cli.cli.app import app
from td_currents_cli.parallel import splits

TIMEOUT: Final = 30  # seconds
MEMORY: Final = 4 << 30  # bytes of address space

PRELOADED: Final = (
    *(f"validate --format {form}" for form in ("text", "json", "sarif", "junit")),
    "count --format json",
    "count --by day",
    "parse --to csv",
    "parse --summary /dev/null",
    "parse --to parquet -o /dev/null",
    "send --dry-run --no-check --site us01 --database abc --table abc --format json",
    "show --format json",
    "reconcile --ingested /dev/null --sent",
)
"""Commands that import what others need; the path of an input follows."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended; `code` is negative if a signal ended it, SIGALRM if time was up."""

    code: int
    out: bytes
    err: str


class Commands:
    """Runs commands of `tdcur` in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (payload := folder / "payload.json").write_text('{"events":[{"event_type":"x","id":"1","time":1}]}')
        for line in PRELOADED:
            CliRunner().invoke(app, [*line.split(), str(payload)])

    def run(self, *arguments: str, stdin: bytes = b"", split: int = 0) -> Result:
        """Run a command; with `split`, files are read in splits of so many bytes."""
        (self.folder / "stdin").write_bytes(stdin)
        beginning, is_child = os.pipe()
        child = os.fork()
        if not child:
            os.close(is_child)
            _become(arguments, self.folder, split)
        os.close(is_child)
        has_begun = bool(select([beginning], [], [], TIMEOUT)[0])
        os.close(beginning)
        if not has_begun:
            # pyarrow has threads in this process, and a fork may wait for their locks for ever.
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return self.run(*arguments, stdin=stdin, split=split)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # worker processes, if time was up
        err = (self.folder / "stderr").read_text("utf-8", "backslashreplace")
        return Result(code, (self.folder / "stdout").read_bytes(), err)


def _become(arguments: Sequence[str], folder: Path, split: int) -> None:
    """Be the process of a command."""
    code = 1
    try:
        os.setsid()
        signal.alarm(TIMEOUT)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.chdir(folder)
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY), number)
        if split:
            vars(splits).update(MIN_SIZE=1, SPLIT_SIZES=(split, split))
        sys.argv = ["tdcur", *arguments]
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 -- a traceback is what is looked for
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
