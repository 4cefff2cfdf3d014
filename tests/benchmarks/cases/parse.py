"""Ingested rows as flat JSON Lines: `event_type`, `id`, `time`, then the members of `user` and of `properties`.

What is written is compared by the number of lines, the sum of their times, and the number of their members.
"""

import json
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.case import Answer, Case, Contender, Goal
from tests.benchmarks.peers import CHDB, DUCKDB, JQ, POLARS, TDCUR, script, shell, tdcur

_DATABASES: Final = (CHDB, POLARS, DUCKDB)

_FLATTEN: Final = """jq -c '.[] | {event_type, id, time} + .user + .properties'"""


def _answer(stdout: Path) -> Answer:
    """Lines, the sum of their times, and how many members are not null: peers that have columns write nulls."""
    lines = times = members = 0
    with stdout.open("rb") as file:
        for line in file:
            event = json.loads(line)
            lines += 1
            times += int(event["time"])
            members += sum(value is not None for value in event.values())
    return {"lines": lines, "times": times, "members": members}


def _contenders(jq: str, name: str) -> tuple[Contender, ...]:
    return (
        Contender(peer=TDCUR, command=lambda: (*tdcur(), "parse"), answer=_answer),
        *(
            Contender(peer=peer, command=partial(script, f"{name}_{peer.name.lower()}"), answer=_answer)
            for peer in _DATABASES
        ),
        Contender(peer=JQ, command=partial(shell, jq), answer=_answer),
    )


CASES: Final = (
    Case(
        name="parse-rows-csv",
        title="ingested rows as CSV to flat JSON Lines",
        shape="rows-csv",
        contenders=_contenders(f"""sed '1d; s/^[0-9]*,"//; s/"$//; s/""/"/g' "$1" | {_FLATTEN}""", "parse_rows_csv"),
        goals=(Goal(10, (JQ,)), Goal(3, _DATABASES)),
    ),
    Case(
        name="parse-rows-jsonl",
        title="ingested rows as JSON Lines to flat JSON Lines",
        shape="rows-jsonl",
        contenders=(
            Contender(peer=TDCUR, command=lambda: (*tdcur(), "parse"), answer=_answer),
            Contender(peer=JQ, command=partial(shell, f"""jq -r .events "$1" | {_FLATTEN}"""), answer=_answer),
        ),
        goals=(Goal(10, (JQ,)),),
    ),
)
