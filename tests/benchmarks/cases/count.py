"""How many events of each type there are.

That is all the peers are asked for; `tdcur` finds first and last times and checks each batch besides.
"""

import json
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.case import Answer, Case, Contender, Goal
from tests.benchmarks.peers import CHDB, DUCKDB, JQ, POLARS, TDCUR, script, shell, tdcur

_DATABASES: Final = (CHDB, POLARS, DUCKDB)


def _of_tdcur(stdout: Path) -> Answer:
    return {each["event_type"]: each["count"] for each in json.loads(stdout.read_bytes())["counts"]}


def _of_script(stdout: Path) -> Answer:
    """One JSON object: counts by type."""
    counts: dict[str, int] = json.loads(stdout.read_bytes())
    return counts


def _of_uniq(stdout: Path) -> Answer:
    """What `uniq -c` prints: a count and a type on each line."""
    pairs = (line.split(maxsplit=1) for line in stdout.read_text().splitlines())
    return {name: int(count) for count, name in pairs}


def _contenders(name: str, jq: str) -> tuple[Contender, ...]:
    return (
        Contender(peer=TDCUR, command=lambda: (*tdcur(), "count", "--format", "json"), answer=_of_tdcur),
        *(
            Contender(peer=peer, command=partial(script, f"{name}_{peer.name.lower()}"), answer=_of_script)
            for peer in _DATABASES
        ),
        Contender(peer=JQ, command=partial(shell, jq), answer=_of_uniq),
    )


CASES: Final = (
    Case(
        name="count-payloads",
        title="event types of payload lines",
        shape="payloads",
        # Faster than `jq -n 'reduce inputs…'`: 2.9 s against 4.7 s where this was written.
        contenders=_contenders("count_payloads", """jq -r '.events[].event_type' "$1" | sort | uniq -c"""),
        goals=(Goal(2, _DATABASES), Goal(15, (JQ,))),
    ),
    Case(
        name="count-rows-csv",
        title="event types of ingested rows as CSV",
        shape="rows-csv",
        # jq reads no CSV and takes a minute to unquote it; sed can, since no row has a line end inside its quotes.
        contenders=_contenders(
            "count_rows_csv",
            """sed '1d; s/^[0-9]*,"//; s/"$//; s/""/"/g' "$1" | jq -r '.[].event_type' | sort | uniq -c""",
        ),
        goals=(Goal(1, (*_DATABASES, JQ)),),
    ),
)
