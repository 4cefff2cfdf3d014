"""Draws the picture of the README from what the program prints on a terminal: `python -m tests.pictures`."""

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT: Final = Path(__file__).parents[1]
WIDTH: Final = 104

PICTURES: Final = {
    "validate-and-count.svg": (
        "tdcur validate sample_data/payloads/treasure_data_documented_shape.json",
        "tdcur count sample_data/rows/rows.csv --by channel --limit 4",
    )
}
"""The commands of each picture."""


def on_terminal(command: str, folder: Path) -> str:
    """What a command prints on a terminal, with its colors."""
    reader, terminal = pty.openpty()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TDCUR", "TD_", "GITHUB", "CI"))},
        "TERM": "xterm-256color",
        "COLUMNS": str(WIDTH),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    with subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment, stdout=terminal, stderr=terminal):
        os.close(terminal)
        printed = bytearray()
        # Reading fails once nobody holds the other end.
        try:
            while chunk := os.read(reader, 65536):
                printed += chunk
        except OSError:
            pass
    os.close(reader)
    # What was printed and then erased is not part of the picture.
    return re.sub(r"\x1b\[[0-9;?]*[A-LN-Zhl]", "", printed.decode().replace("\r\n", "\n")).split("\r")[-1]


def draw(commands: tuple[str, ...], folder: Path) -> str:
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    for command in commands:
        console.print(Text.assemble(("$ ", "bold green"), command))
        console.print(Text.from_ansi(on_terminal(command, folder)))
    svg = console.export_svg(title="tdcur", theme=MONOKAI, unique_id="tdcur")
    # The fonts are those of the reader's machine: no request to another host.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    for name, commands in PICTURES.items():
        path = ROOT / "docs" / "pictures" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(draw(commands, ROOT), encoding="utf-8")
