"""The command line in a process of its own."""

import os
import subprocess
import sys
from typing import Any, Final

TDCUR: Final = (sys.executable, "-m", "td_currents_cli")

PLAIN: Final = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
"""An environment in which nothing is said of colors and widths."""


def tdcur(*arguments: object, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end. The options are those of `subprocess.run`."""
    command = [*TDCUR, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120, **options)


def tdcur_text(*arguments: object, stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """The same in UTF-8 strings."""
    command = [*TDCUR, *map(str, arguments)]
    options = {"input": stdin, "capture_output": True, "timeout": 120, "encoding": "utf-8", **options}
    return subprocess.run(command, check=False, **options)
