"""Who can take part: `tdcur` and the programs and packages it is compared with, each with what it takes to find it."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).with_name("scripts")


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool that can be asked the same question."""

    name: str  # as the table shows it
    version: Callable[[], str | None]  # its version, None when it is not installed


@cache
def _of_package(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _said(program: str) -> list[str]:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout.split()


@cache
def _of_program(program: str) -> str | None:
    if not shutil.which(program):
        return None
    return _said(program)[-1].removeprefix(f"{program}-")


@cache
def _second_word(program: str) -> str | None:
    """The version of a program that says its name and version first, and much after that."""
    if not shutil.which(program):
        return None
    return _said(program)[1]


def _of_silent_program(program: str) -> str | None:
    """Of a program that does not tell its version."""
    return "?" if shutil.which(program) else None


TDCUR: Final = Peer("tdcur", partial(_of_package, "td-currents-cli"))
CHDB: Final = Peer("chDB", partial(_of_package, "chdb"))
DUCKDB: Final = Peer("DuckDB", partial(_of_package, "duckdb"))
POLARS: Final = Peer("Polars", partial(_of_package, "polars"))
JQ: Final = Peer("jq", partial(_of_program, "jq"))
CURL: Final = Peer("curl", partial(_second_word, "curl"))
HEY: Final = Peer("hey", partial(_of_silent_program, "hey"))
JSONSCHEMA_RS: Final = Peer("jsonschema-rs", partial(_of_package, "jsonschema-rs"))
CHECK_JSONSCHEMA: Final = Peer("check-jsonschema", partial(_of_package, "check-jsonschema"))
CLEAN: Final = Peer("tdcur, clean input", partial(_of_package, "td-currents-cli"))
"""The same program, where what is asked is how much slower another input is."""
IDEAL: Final = Peer("ideal", lambda: "0")
"""Nobody: the time that the endpoint alone would take."""


@cache
def tdcur() -> tuple[str, ...]:
    """The command as it is installed beside this Python: no wrapper of a version manager is measured with it."""
    program = Path(sysconfig.get_path("scripts"), "tdcur")
    return (str(program),) if program.exists() else (sys.executable, "-m", "td_currents_cli")


def check_jsonschema() -> tuple[str, ...]:
    return (sys.executable, "-m", "check_jsonschema")


def script(name: str) -> tuple[str, ...]:
    """One of the scripts beside this module, run by this Python: the import of its package is measured too."""
    return (sys.executable, str(SCRIPTS / f"{name}.py"))


def shell(pipeline: str) -> tuple[str, ...]:
    """A pipeline in which `$1` stands for the input. It fails when its last command does."""
    return ("sh", "-c", pipeline, "sh")
