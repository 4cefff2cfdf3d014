"""How many events of each type there are, and ingested rows as flat JSON Lines.

The peers are asked for the counts alone; `tdcur` finds first and last times and checks each batch besides. What is
written as flat events (`event_type`, `id`, `time`, then the fields of `user` and of `properties`) is compared by the
number of lines, the sum of their times, and the number of their fields.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.case import TDCUR, Answer, Case, Contender, Goal, package, program, script, shell, tdcur

_JQ: Final = program("jq")
_DATABASES: Final = (package("chDB", "chdb"), package("Polars", "polars"), package("DuckDB", "duckdb"))

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


_COUNT: Final = ("count", "--format", "json")

CASES: Final = (
    Case(
        name="count-payloads",
        title="event types of payload lines",
        # Faster than `jq -n 'reduce inputs…'`: 2.9 s against 4.7 s where this was written.
        contenders=_contenders(
            "count-payloads", _COUNT, """jq -r '.events[].event_type' "$1" | sort | uniq -c""", _counts
        ),
        goals=(Goal(2, _DATABASES), Goal(15, (_JQ,))),
    ),
    Case(
        name="count-rows-csv",
        title="event types of ingested rows as CSV",
        shape="rows-csv",
        contenders=_contenders("count-rows-csv", _COUNT, f"{_CELLS} -r '.[].event_type' | sort | uniq -c", _counts),
        goals=(Goal(1, (*_DATABASES, _JQ)),),
    ),
    Case(
        name="parse-rows-csv",
        title="ingested rows as CSV to flat JSON Lines",
        shape="rows-csv",
        contenders=_contenders("parse-rows-csv", ("parse",), f"{_CELLS} {_FLATTEN}", _sums),
        goals=(Goal(10, (_JQ,)), Goal(3, _DATABASES)),
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
