"""The documents show what the program does: the console blocks of each are run, in their order, in one folder.

`TDCUR_UPDATE_DOCUMENTS=1 pytest tests/acceptance/test_documents.py -n0` writes what the commands print into them.
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

import pytest

from td_currents_cli.errors import ExitCode
from tests.reference import pages

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\n> .*)*)$", re.MULTILINE)
PORT = "8888"
"""The port of `tdcur serve` in the README; the test takes a free one."""

VARIABLE = (
    (re.compile(r"127\.0\.0\.1:\d{4,5}"), "127.0.0.1:PORT"),
    (re.compile(r"^(seconds|latency) .*", re.MULTILINE), r"\1 …"),
    (re.compile(r"in \d+\.\d+ s\b"), "in … s"),
    (re.compile(r"\d+\.\d s(, [\d,]+ events/s)?"), "… s"),
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
    """Text as the document has it: no blank lines around it, no spaces at line ends, a line end at the end."""
    lines = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
    return f"{lines}\n" if lines else ""


class Shell:
    """That of a person who has set nothing, on a terminal of 100 columns, in a folder with the sample data."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / "sample_data", folder / "sample_data")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("TDCUR", "TD_", "GITHUB"))}
        path = f"{Path(sys.executable).parent}:{plain['PATH']}"
        own = {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "XDG_STATE_HOME": str(folder / "state")}
        self._folder = str(folder)
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
        shown = ended.stdout.replace(f":{self._port}/", f":{PORT}/").replace(self._folder, "/home/you/project")
        printed = shown.split("\0")
        return "".join(f"$ {command}\n{trimmed(text)}" for command, text in zip(commands, printed, strict=True))

    @contextmanager
    def serve(self, block: str) -> Iterator[str]:
        """The endpoint of the documents, running; and what a terminal shows of its start."""
        (command,) = COMMAND.findall(block)
        arguments = [*shlex.split(command), "--port", self._port]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, **self._options) as server:
            assert server.stderr
            # As many lines as the document shows: what it says before the first request.
            lines = [server.stderr.readline() for _ in range(5)]
            try:
                yield f"$ {command}\n{trimmed(''.join(lines))}".replace(f":{self._port}/", f":{PORT}/")
            finally:
                server.send_signal(signal.SIGINT)
                server.stderr.read()


@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if BLOCK.search(path.read_text(encoding="utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_console_blocks_show_what_the_commands_print(document: Path, tmp_path: Path) -> None:
    shell, text = Shell(tmp_path), document.read_text(encoding="utf-8")
    is_update = "TDCUR_UPDATE_DOCUMENTS" in os.environ
    with ExitStack() as background:
        for block in BLOCK.findall(text):
            if block.startswith("$ tdcur serve"):
                shown = background.enter_context(shell.serve(block))
            elif any(f"$ {tool} " in block and shutil.which(tool) is None for tool in ("curl", "jq")):
                continue
            else:
                shown = shell.run(block)
            if is_update:
                text = text.replace(f"```console\n{block}", f"```console\n{shown}")
            else:
                assert steady(shown) == steady(block)
    if is_update:
        document.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("document", [README, ROOT / "docs/reference/exit-codes.md"], ids=lambda path: path.name)
def test_the_exit_codes_are_those_of_the_program(document: Path) -> None:
    table = re.search(r"\| exit code \|.*?\n\n", document.read_text(encoding="utf-8"), re.DOTALL)
    assert table
    codes = {
        int(code)
        for row in re.findall(r"^\|([^|]*)", table.group(), re.MULTILINE)
        for code in re.findall(r"`(\d+)`", row)
    }
    assert codes == set(ExitCode)


def test_generated_pages_are_up_to_date() -> None:
    for path, content in pages().items():
        assert path.read_text(encoding="utf-8") == content, "run `python -m tests.reference`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (document.parent / link).exists()]


def test_the_two_commands_of_a_fresh_machine_come_first() -> None:
    blocks = re.findall(r"```sh\n(.*?)\n```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks[:2] == [
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/tdcur demo",
        "python3 -m venv .venv && .venv/bin/pip install '.[test]' && .venv/bin/python -m pytest",
    ]
