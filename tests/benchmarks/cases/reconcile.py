"""Which events that were sent did not arrive?

The peers compare the ids alone; `tdcur` compares the contents besides, and finds duplicates.
"""

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.case import TDCUR, Answer, Case, Contender, Peer, package, script, shell, tdcur

_PEERS: Final = (package("Polars", "polars"), package("DuckDB", "duckdb"))

_LOST: Final = 100
"""One row of so many does not arrive, the first to begin with."""


@dataclass(slots=True)
class _Stage:
    """What the case has set up while it runs."""

    rows: Path = Path()  # what arrived, as CSV

    @contextmanager
    def setting(self, source: Path) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="tdcur-benchmark-reconcile-") as name:
            self.rows = Path(name, "rows.csv")
            with source.open(encoding="utf-8") as lines, self.rows.open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(["time", "events"])
                for number, line in enumerate(lines):
                    if number % _LOST:
                        rows.writerow([1782864031, line.strip().removeprefix('{"events":').removesuffix("}")])
            yield

    def tdcur(self) -> tuple[str, ...]:
        command = f"{' '.join(tdcur())} reconcile --format json --ingested '{self.rows}' --sent \"$1\""
        return shell(f"{command} || test $? -eq 1")

    def peer(self, peer: Peer) -> tuple[str, ...]:
        return script(f"with_{peer.name.lower()}", "reconcile", str(self.rows))


_STAGE: Final = _Stage()


def _of_tdcur(stdout: Path) -> Answer:
    summary = json.loads(stdout.read_bytes())["summary"]
    return {name: summary[name] for name in ("sent", "ingested", "missing", "unexpected")}


CASES: Final = (
    Case(
        name="reconcile",
        title=f"payload lines against ingested rows as CSV, with {1 / _LOST:.0%} of them missing",
        contenders=(
            Contender(peer=TDCUR, command=_STAGE.tdcur, answer=_of_tdcur),
            *(
                Contender(
                    peer=peer,
                    command=partial(_STAGE.peer, peer),
                    answer=lambda stdout: dict(json.loads(stdout.read_bytes())),
                )
                for peer in _PEERS
            ),
        ),
        setting=_STAGE.setting,
    ),
)
