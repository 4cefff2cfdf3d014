"""The README shows what the program does: its console blocks are run, in their order, in one folder.

`TDCUR_UPDATE_README=1 pytest tests/acceptance/test_readme.py -n0` writes what the commands print into the README.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from td_currents_cli.errors import ExitCode

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\n> .*)*)$", re.MULTILINE)
PORT = "8888"
"""The port of `tdcur serve` in the README; the test takes a free one."""

VARIABLE = (
    (re.compile(r"127\.0\.0\.1:\d{4,5}"), "127.0.0.1:PORT"),
    (re.compile(r"^(seconds|latency) .*", re.MULTILINE), r"\1 …"),
    (re.compile(r"in \d+\.\d+ s\b"), "in … s"),
    (re.compile(r"^\d\d:\d\d:\d\d ", re.MULTILINE), "NOW "),
    # A column is as wide as its widest figure, and that may be a time.
    (re.compile(r" {2,}"), "  "),
)
"""What differs from run to run."""


def steady(text: str) -> str:
    for pattern, name in VARIABLE:
        text = pattern.sub(name, text)
    return text


def trimmed(text: str) -> str:
    """Text as the README holds it: no blank lines around it, no spaces at line ends, a line end at the end."""
    lines = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
    return f"{lines}\n" if lines else ""


class Shell:
    """That of a person who has set nothing, on a terminal of 100 columns, in a folder with the sample data."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / "sample_data", folder / "sample_data")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("TDCUR", "TD_", "GITHUB"))}
        path = f"{Path(sys.executable).parent}:{plain['PATH']}"
        own = {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "XDG_STATE_HOME": str(folder / "state")}
        self._options: dict[str, Any] = {"cwd": folder, "env": plain | own, "text": True}
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = str(server.getsockname()[1])

    def run(self, block: str) -> str:
        """What a terminal shows of a console block: each command behind `$ ` with what it prints."""
        commands = COMMAND.findall(block)
        script = "printf '\\0'\n".join(command.replace("\n> ", "\n") + "\n" for command in commands)
        command = ["bash", "-c", script.replace(f":{PORT}/", f":{self._port}/")]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        ended = subprocess.run(command, check=False, **pipes, **self._options)
        printed = ended.stdout.replace(f":{self._port}/", f":{PORT}/").split("\0")
        return "".join(f"$ {command}\n{trimmed(text)}" for command, text in zip(commands, printed, strict=True))

    @contextmanager
    def serve(self, block: str) -> Iterator[str]:
        """The endpoint of the README, running; and what a terminal shows of its start."""
        (command,) = COMMAND.findall(block)
        arguments = [*shlex.split(command), "--port", self._port]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, **self._options) as server:
            assert server.stderr
            # As many lines as the README shows: what it says before the first request.
            lines = [server.stderr.readline() for _ in range(4)]
            try:
                yield f"$ {command}\n{trimmed(''.join(lines))}".replace(f":{self._port}/", f":{PORT}/")
            finally:
                server.send_signal(signal.SIGINT)
                server.stderr.read()


def test_console_blocks_show_what_the_commands_print(tmp_path: Path) -> None:
    text, shell = README.read_text(encoding="utf-8"), Shell(tmp_path)
    with ExitStack() as background:
        for block in BLOCK.findall(text):
            if block.startswith("$ tdcur serve"):
                shown = background.enter_context(shell.serve(block))
            elif block.startswith("$ curl") and shutil.which("curl") is None:
                continue
            else:
                shown = shell.run(block)
            if os.environ.get("TDCUR_UPDATE_README"):
                text = text.replace(block, shown)
            else:
                assert steady(shown) == steady(block)
    if os.environ.get("TDCUR_UPDATE_README"):
        README.write_text(text, encoding="utf-8")


def test_the_exit_codes_are_those_of_the_program() -> None:
    table = re.search(r"\| exit code \|.*?\n\n", README.read_text(encoding="utf-8"), re.DOTALL)
    assert table
    codes = {int(code) for code in re.findall(r"^\| `(\d+)` \|", table.group(), re.MULTILINE)}
    assert codes == set(ExitCode)


def test_the_two_commands_of_a_fresh_machine_are_there() -> None:
    text = README.read_text(encoding="utf-8")
    assert "python3 -m pip install . && tdcur demo\n" in text
    assert "python3 -m pip install '.[test]' && python3 -m pytest\n" in text
