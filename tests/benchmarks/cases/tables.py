"""How many events of each type there are, and ingested rows as flat JSON Lines.

The peers are asked for the counts alone; `tdcur` finds first and last times and checks each batch besides. What is
written as flat events (`event_type`, `id`, `time`, then the fields of `user` and of `properties`) is compared by the
number of lines, the sum of their times, and the number of their fields.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.case import TDCUR, Answer, Case, Contender, Goal, Peer, package, program, script, shell, tdcur

_JQ: Final = program("jq")
_CHDB: Final = package("chDB", "chdb")
_DATABASES: Final = (_CHDB, package("Polars", "polars"), package("DuckDB", "duckdb"))

# jq reads no CSV and takes a minute to unquote it; sed can, since no row has a line end inside its quotes.
_CELLS: Final = """sed '1d; s/^[0-9]*,"//; s/"$//; s/""/"/g' "$1" | jq"""
_FLATTEN: Final = "-c '.[] | {event_type, id, time} + .user + .properties'"


def _counts(stdout: Path) -> Answer:
    """Counts by type, of what `tdcur`, a script, or `uniq -c` prints."""
    printed = stdout.read_text()
    if not printed.startswith("{"):
        pairs = (line.split(maxsplit=1) for line in printed.splitlines())
        return {name: int(count) for count, name in pairs}
    document: Answer = json.loads(printed)
    return {each["event_type"]: each["count"] for each in document["counts"]} if "counts" in document else document


def _sums(stdout: Path) -> Answer:
    """Lines, the sum of their times, and how many fields are not null: peers that have columns write nulls."""
    lines = times = fields = 0
    with stdout.open("rb") as file:
        for line in file:
            event = json.loads(line)
            lines += 1
            times += int(event["time"])
            fields += sum(value is not None for value in event.values())
    return {"lines": lines, "times": times, "fields": fields}


def _groups(stdout: Path) -> Answer:
    """Groups and their sum, of a table, of CSV, or of `uniq -c`."""
    groups = events = 0
    for line in stdout.read_text().splitlines():
        first, second, *_ = [*line.replace('"', " ").replace(",", " ").split(), "", ""]
        count = second if "-" in first else first
        if "-" in first + second and count.isdecimal():
            groups += 1
            events += int(count)
    return {"groups": groups, "events": events}


def _contenders(
    name: str, options: tuple[str, ...], jq: str, answer: Callable[[Path], Answer], *, databases: bool = True
) -> tuple[Contender, ...]:
    return (
        Contender(peer=TDCUR, command=lambda: (*tdcur(), *options), answer=answer),
        *(
            Contender(peer=peer, command=partial(script, f"with_{peer.name.lower()}", name), answer=answer)
            for peer in _DATABASES
            if databases
        ),
        Contender(peer=_JQ, command=partial(shell, jq), answer=answer),
    )


@dataclass(slots=True)
class _SmallFiles:
    """Each payload in a file of its own."""

    folder: Path = Path()

    @contextmanager
    def setting(self, source: Path) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="tdcur-benchmark-files-") as name, source.open("rb") as lines:
            self.folder = Path(name)
            for number, line in enumerate(lines):
                (self.folder / f"{number:04}.json").write_bytes(line)
            yield

    def tdcur(self) -> tuple[str, ...]:
        return shell(f"{' '.join((*tdcur(), *_COUNT))} '{self.folder}'")

    def database(self, peer: Peer) -> tuple[str, ...]:
        return script(f"with_{peer.name.lower()}", "count-payloads", f"{self.folder}/*.json")

    def jq(self) -> tuple[str, ...]:
        return shell(f"jq -r '.events[].event_type' {self.folder}/*.json | sort | uniq -c")


_COUNT: Final = ("count", "--format", "json")
_SMALL_FILES: Final = _SmallFiles()

CASES: Final = (
    Case(
        name="count-payloads",
        title="event types of payload lines",
        # Faster than `jq -n 'reduce inputs…'`: 2.9 s against 4.7 s where this was written.
        contenders=_contenders(
            "count-payloads", _COUNT, """jq -r '.events[].event_type' "$1" | sort | uniq -c""", _counts
        ),
        goals=(Goal(2, _DATABASES, must=1.3), Goal(15, (_JQ,))),
    ),
    Case(
        name="count-rows-csv",
        title="event types of ingested rows as CSV",
        shape="rows-csv",
        contenders=_contenders("count-rows-csv", _COUNT, f"{_CELLS} -r '.[].event_type' | sort | uniq -c", _counts),
        goals=(Goal(1.5, (*_DATABASES, _JQ), must=1.1),),
    ),
    Case(
        name="count-small-files",
        title="event types of small files with a payload each",
        events=100_000,
        contenders=(
            Contender(peer=TDCUR, command=_SMALL_FILES.tdcur, answer=_counts),
            *(
                Contender(peer=peer, command=partial(_SMALL_FILES.database, peer), answer=_counts)
                for peer in _DATABASES
            ),
            Contender(peer=_JQ, command=_SMALL_FILES.jq, answer=_counts),
        ),
        setting=_SMALL_FILES.setting,
    ),
    *(
        Case(
            name=f"count-groups-{form}",
            title=f"events of each of 200,000 groups, as {title}",
            events=200_000,
            contenders=_contenders(
                "count-groups",
                ("count", "--by", "id", "--format", form),
                """jq -r '.events[].id' "$1" | sort | uniq -c""",
                _groups,
            ),
        )
        for form, title in (("csv", "CSV"), ("table", "a table; the other tools write CSV"))
    ),
    Case(
        name="parse-rows-csv",
        title="ingested rows as CSV to flat JSON Lines",
        shape="rows-csv",
        contenders=_contenders("parse-rows-csv", ("parse",), f"{_CELLS} {_FLATTEN}", _sums),
        goals=(Goal(10, (_JQ,), must=8), Goal(3, (_CHDB,), must=2)),
    ),
    Case(
        name="parse-rows-jsonl",
        title="ingested rows as JSON Lines to flat JSON Lines",
        shape="rows-jsonl",
        contenders=_contenders(
            "parse-rows-jsonl", ("parse",), f"""jq -r .events "$1" | jq {_FLATTEN}""", _sums, databases=False
        ),
        goals=(Goal(10, (_JQ,)),),
    ),
)
