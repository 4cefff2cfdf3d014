"""Queries of a table until all sent events are there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from td_currents_cli.errors import ExitCode, InputError
from td_currents_cli.read import sources
from td_currents_cli.render.reconcile import print_verification, verification_line, verification_updates
from td_currents_cli.render.terminal import show_progress
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.tables import TdConnection
from td_currents_cli.treasure_data.updates import Job
from td_currents_cli.verify import Arrivals, VerifyOutcome, VerifyProgress, VerifyRequest, run
from tests.rendering import Screen
from tests.td_service.engine import Engine
from tests.td_service.service import Canned, Service


class Arriving:
    """An engine whose table contains one more batch of ids for each query."""

    def __init__(self, *batches: str, rejected: int = 1) -> None:
        self._rejected = [[None, "rejected row"]] * rejected
        self._batches = [batch.split() for batch in batches]
        self._asked = 0

    def query(self, sql: str) -> Canned:
        """Return the ids stored so far, each twice: Braze delivers at least once."""
        self._asked += 1
        there = [each for batch in self._batches[: self._asked] for each in batch]
        columns = [("id", "varchar"), ("kind", "varchar")]
        rows = [*([each, None] for each in [*there, *there, None]), *self._rejected]
        return Canned(columns, rows).query(sql)


@pytest.fixture
def pauses() -> list[float]:
    """Time passes only while somebody sleeps."""
    return []


Verify = Callable[..., VerifyOutcome]


@pytest.fixture
def verify(running: Service, tmp_path: Path, pauses: list[float]) -> Verify:
    def verified(
        ids: str, engine: Arriving, *, columns: str = "events", more: str = "", within: float = 600.0, **options: Any
    ) -> VerifyOutcome:
        """Verify events with these ids (`-`: without one) and `more` in a table, which there is if it has columns."""
        running.reset(engine, {("braze", "currents" if columns else "other"): dict.fromkeys(columns.split(), "string")})
        sent = tmp_path / "sent.json"
        events = [{"id": each} if each != "-" else {} for each in ids.split()]
        sent.write_text(json.dumps({"events": events}) + more)
        request = VerifyRequest(sources([str(sent)]), arrivals_of(running), within=within)
        return run(request, now=lambda: sum(pauses), sleep=pauses.append, **options)

    return verified


def arrivals_of(running: Service) -> Arrivals:
    connection = TdConnection(environ=running.environ())
    return Arrivals(parse_address("td://braze/currents"), Period(1_800_000_000, None), connection)


def test_all_arrive(verify: Verify, pauses: list[float], running: Service) -> None:
    """The table is queried with growing pauses until the last event is there, for rows of the period only."""
    news: list[VerifyProgress | Job] = []
    outcome = verify("a b c d", Arriving("a", "", "b c", "d x"), on_progress=news.append)
    assert (outcome.sent, outcome.arrived, outcome.missing, outcome.asked) == (4, 4, (), 4)
    assert outcome.exit_code is ExitCode.OK
    assert pauses == [5.0, 7.5, 11.25]
    assert [(each.arrived, each.missing, each.pause) for each in news if isinstance(each, VerifyProgress)] == [
        (1, 3, 5.0),
        (1, 3, 7.5),
        (3, 1, 11.25),
        (4, 0, None),
    ]
    assert [(each.id, each.state) for each in news if isinstance(each, Job)] == [
        (job, "success") for job in ("1000", "1001", "1002", "1003")
    ]
    assert all("TD_TIME_RANGE(time, 1800000000, NULL)" in query for query in running.queries)
    listed = ["('a', 'b', 'c', 'd')", "('b', 'c', 'd')", "('b', 'c', 'd')", "('d')"]
    assert [query[query.rindex("IN ") + 3 :] for query in running.queries] == listed


ROWS: list[dict[str, Any]] = [
    {"time": 1_800_000_100, "events": json.dumps([{"id": "it's"}, {"id": "it's"}, {"id": "☃"}, {"id": 7}, {}])},
    {"time": 1_800_000_200, "events": json.dumps({"events": [{"id": "other"}, 7]})},
    {"time": 1_800_000_300, "events": '[{"id": "cut'},
    {"time": 1_700_000_000, "events": json.dumps([{"id": "early"}])},
    {"time": 1_800_000_300, "events": None},
]
FEW = ["it's", "☃", "early", "7", "''", "x' OR '1'='1", "it''s"]


@pytest.mark.parametrize("more", [[], ["\ud800"], ["\x00"], ["x" * 100_001], [f"e-{number}" for number in range(1000)]])
def test_ids_in_the_query(more: list[str], running: Service) -> None:
    """Few ids are listed; for many, and for ids that no query can contain, all ids are fetched."""
    running.reset(Engine({("braze", "currents"): ROWS}), {("braze", "currents"): {"events": "string"}})
    arrivals = arrivals_of(running)
    found = set(arrivals.ids([*FEW, *more], lambda _: None))
    assert found == {"it's", "☃"} | ({"other"} if more else set())
    assert arrivals.unreadable == 2
    (query,) = running.queries
    assert (" IN ('it''s', '☃'" in query) == (not more)
    assert len(sqlglot.parse(query, read="trino")) == 1


def test_time_is_up(verify: Verify, pauses: list[float]) -> None:
    """The last query is made when time is up; missing ids are in the order sent."""
    outcome = verify("c a b", Arriving("a", rejected=0), within=60.0)
    assert (outcome.missing, outcome.exit_code) == (("c", "b"), ExitCode.FINDINGS)
    assert sum(pauses) == 60.0
    assert "longer" in outcome.advice


def test_nothing_arrives(verify: Verify) -> None:
    """The most likely causes are named, unless the rows of the table could not be read."""
    outcome = verify("a b", Arriving(rejected=0), within=0.0)
    assert (outcome.asked, outcome.arrived) == (1, 0)
    assert "the write key is wrong" in outcome.advice
    assert "table of another name" in outcome.advice
    assert "--received-since" in outcome.advice
    outcome = verify("a b", Arriving(), within=0.0)
    assert "cannot be told" in outcome.advice
    assert "write key" not in outcome.advice


@pytest.mark.parametrize(
    ("ids", "more", "line"),
    [
        ("a", "", "All 1 event id arrived in td://braze/currents"),
        ("a -", "", "All 1 event id arrived in td://braze/currents, but 1 event without an id cannot be verified"),
        ("a", "{", "All 1 event id arrived in td://braze/currents, but not everything that was sent could be read"),
        ("", "{", "no event ids to search for, but not everything that was sent could be read"),
        ("", "", "no event ids to search for"),
        ("a b", "", "1 of 2 event ids were found in td://braze/currents"),
    ],
)
def test_the_first_line_says_why_the_exit_code_is_not_0(
    ids: str, more: str, line: str, verify: Verify, screen: Screen
) -> None:
    outcome = verify(ids, Arriving("a"), more=more, within=0.0)
    print_verification(outcome, screen.terminal)
    assert screen.lines[0] == line
    assert bool(outcome.exit_code) == (", but " in line or "were found" in line)


def test_a_table_that_does_not_exist_yet(verify: Verify) -> None:
    """Treasure Data creates it with the first row."""
    assert verify("a", Arriving("a"), columns="", within=0.0).missing == ("a",)


def test_a_table_that_has_no_columns_yet(running: Service) -> None:
    """Somebody has created it; Treasure Data adds the columns with the first row."""
    running.reset(Arriving("a"), {("braze", "currents"): {}})
    assert list(arrivals_of(running).ids({"a"}, lambda _: None)) == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("body", "neither a column `events` \\(batches\\) nor a column `event_type`"),
        ("event_type", "has no column `id`"),
    ],
)
def test_a_table_without_events(verify: Verify, columns: str, message: str) -> None:
    """The error names the missing columns."""
    with pytest.raises(InputError, match=message):
        verify("a", Arriving("a"), columns=columns)


def test_a_flat_table(verify: Verify, running: Service) -> None:
    assert verify("a", Arriving("a"), columns="event_type id").missing == ()
    assert "UNNEST" not in running.queries[0]


def test_nothing_was_sent(verify: Verify, running: Service) -> None:
    """No query is made."""
    outcome = verify("", Arriving())
    assert (outcome.asked, outcome.exit_code, running.queries) == (0, ExitCode.OK, [])


def test_output(verify: Verify, screen: Screen) -> None:
    """Missing ids are data on standard output, everything else goes to standard error."""
    ids = [f"e-{number}" for number in range(13)]
    outcome = verify(" ".join(ids), Arriving("e-0"), within=0.0)
    print_verification(outcome, screen.terminal)
    assert screen.lines[0] == "1 of 13 event ids were found in td://braze/currents"
    assert screen.lines[1:11] == [f"  missing {each}" for each in ids[1:11]]
    assert "… and 2 more" in screen.err
    assert "1 row of the table could not be read completely" in screen.err
    assert "1 query in 0:00; rows received from 2027-01-15 08:00:00 to now (UTC)" in screen.err
    assert outcome.as_dict()["missing_ids"] == ids[1:]


def test_a_line_of_progress() -> None:
    assert verification_line(VerifyProgress(90, 10, 35.2, 5.0)) == "arrived 90, missing 10, 0:35, next query in 5 s"
    assert verification_line(VerifyProgress(1000, 0, 65.0, None)) == "arrived 1,000, missing 0, 1:05"
    assert verification_line(Job("7", "running", 12.0)) == "job 7 running, 0:12"


def test_a_slow_query(screen: Screen) -> None:
    """Its job is reported only if it is slow or was killed."""
    with show_progress(screen.terminal) as line:
        tell = verification_updates(line, screen.terminal)
        for job, state, seconds in (("7", "running", 1.0), ("7", "success", 2.0), ("8", "running", 11.0)):
            tell(Job(job, state, seconds))
        tell(Job("9", "killed", 3.0))
        tell(VerifyProgress(1, 0, 13.0, None))
    assert screen.err.splitlines() == ["job 8 running, 0:11", "job 9 killed, 0:03", "arrived 1, missing 0, 0:13"]
