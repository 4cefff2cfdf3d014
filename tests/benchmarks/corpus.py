"""The input of the benchmarks: made by `tdcur generate`, once for each version of the generator."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import td_currents_cli
from tests.benchmarks.peers import tdcur

NAMES: Final[Mapping[str, str]] = {"payloads": "payloads.jsonl", "rows-csv": "rows.csv", "rows-jsonl": "rows.jsonl"}
"""The name of the file that holds a shape of `tdcur generate --shape`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Generated events in every shape that is asked for."""

    root: Path  # where corpora are kept, this one in a folder of its own
    events: int  # how many, in batches of 100
    seed: int  # the same one gives the same bytes

    @property
    def folder(self) -> Path:
        """Named for all that the bytes depend on."""
        return self.root / f"{self.events}-events-seed-{self.seed}-{td_currents_cli.__version__}-{_generator()}"

    def file(self, shape: str) -> Path:
        """The file that holds the events in that shape, made when it is not there yet.

        Raises:
            subprocess.CalledProcessError: `tdcur generate` failed; it has said why on standard error.
        """
        path = self.folder / NAMES[shape]
        if not path.exists():
            self._drop_outdated()
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            options = ("--events", str(self.events), "--seed", str(self.seed), "--shape", shape, "-o", str(path))
            subprocess.run([*tdcur(), "generate", "--quiet", *options], check=True)
        return path

    def _drop_outdated(self) -> None:
        """Half a gigabyte for each state of the generator would fill the temporary folder."""
        if self.root == cache_folder():
            for folder in self.root.glob(f"{self.events}-events-seed-{self.seed}-*"):
                if folder != self.folder:
                    shutil.rmtree(folder)


def cache_folder() -> Path:
    """Where corpora stay from one run to the next, unless the user names a folder."""
    return Path(tempfile.gettempdir(), f"tdcur-benchmarks-{os.getuid()}")


def _generator() -> str:
    """A digest of the generator and its catalog: while they are worked on, the version stays and the bytes change."""
    package = Path(td_currents_cli.__file__).parent
    sources = [
        path for room in ("generate", "catalog") for path in (package / room).rglob("*.*") if path.suffix != ".pyc"
    ]
    digest = sha256()
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
