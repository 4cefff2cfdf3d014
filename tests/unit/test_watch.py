"""`tdcur watch`: rounds over a table of the stand-in service, with a clock that moves when it is told to."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from typer.testing import CliRunner, Result

from td_currents_cli.braze import CANARY
from td_currents_cli.cli.app import app
from td_currents_cli.errors import ExitCode, InputError, OutputError, UnreachableError, UsageError
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.render.watch import change_lines, print_changes, print_watch
from td_currents_cli.send import Destination
from td_currents_cli.treasure_data.address import parse_address
from td_currents_cli.treasure_data.tables import TdConnection
from td_currents_cli.watch import Canary, Round, WatchOutcome, WatchRequest, run
from td_currents_cli.watch.rates import UsualRates, load_rates, rates_of
from td_currents_cli.watch.result import CanaryResult, Pace, Silence, TypeRate
from tests.rendering import Screen
from tests.serving import Served
from tests.td_service.engine import Engine
from tests.td_service.service import API_KEY, Service

TABLE = ("braze", "raw")
HOUR, DAY = 3600, 86_400
NOW = 1_782_900_000  # 10:00 UTC
OPEN, BUY = "users.messages.email.Open", "users.behaviors.Purchase"


def row(time: int, *types: str) -> dict[str, Any]:
    return {"time": time, "events": json.dumps([{"event_type": each, "id": "1", "time": 1} for each in types])}


def hourly(per_hour: int = 20, days: int = 2) -> list[dict[str, Any]]:
    """Rows with as many opens in each hour, and a purchase in every other."""
    hours = range(NOW - days * DAY, NOW, HOUR)
    return [row(hour + 60, *[OPEN] * per_hour, *[BUY] * (number % 2)) for number, hour in enumerate(hours)]


class Stopped(Exception):  # noqa: N818 -- an end, no error
    """Ends a watch that has no end."""


@dataclass
class World:
    """A service with a table, and the time."""

    service: Service
    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=hourly)
    now: float = NOW
    rounds: list[tuple[Round | None, Round]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    script: list[Callable[[], None]] = field(default_factory=list)  # what happens while the watch sleeps

    def request(self, types: list[str] | None = None, **options: Any) -> WatchRequest:
        self.service.reset(Engine({TABLE: self.rows}), {TABLE: {"events": "string"}})
        connection = TdConnection(environ=self.service.environ())
        request = WatchRequest(
            table=parse_address("td://braze/raw"),
            connection=connection,
            wanted=Filter.of(types=types, since=None, until=None, now=0),
            state_folder=self.folder,
            once=True,
        )
        return replace(request, **options)

    def watch(self, **options: Any) -> WatchOutcome:
        return run(
            self.request(**options),
            on_round=lambda before, now: self.rounds.append((before, now)),
            notice=self.told.append,
            now=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if not self.script:
            raise Stopped
        self.script.pop(0)()


@pytest.fixture
def world(running: Service, tmp_path: Path) -> World:
    return World(running, tmp_path)


def test_a_table_to_which_rows_come(world: World) -> None:
    world.rows.append(row(NOW - 120, OPEN, OPEN))
    outcome = world.watch()
    assert outcome.exit_code is ExitCode.OK
    assert outcome.round.silence is Silence.NONE
    assert outcome.round.last_row == NOW - 120
    # The hour ends five minutes ago: the rows received since may not have appeared.
    assert [(each.event_type, each.events, each.pace) for each in outcome.round.types] == [
        (OPEN, 20, Pace.USUAL),
        (BUY, 1, Pace.USUAL),
    ]
    assert outcome.summary()["last_row"] == "2026-07-01T09:58:00Z"
    assert world.told == ["reading the usual numbers of events from the rows of the last 7 days, once a day"]


def test_silence(world: World) -> None:
    """By default for half an hour. The last row came in the last minute before ten."""
    for quiet, silence, code in [
        (29 * 60, Silence.NONE, ExitCode.OK),
        (30 * 60, Silence.SILENT, ExitCode.FINDINGS),
        (36 * HOUR, Silence.URGENT, ExitCode.FINDINGS),
        (48 * HOUR, Silence.DROPPING, ExitCode.FINDINGS),
        (5 * DAY, Silence.LOST, ExitCode.FINDINGS),
    ]:
        world.rows = [row(NOW, OPEN)]
        world.now = NOW + quiet
        outcome = world.watch()
        assert (outcome.round.silence, outcome.exit_code) == (silence, code)
        assert outcome.round.quiet_for == quiet


def test_a_canary_or_an_empty_row_breaks_no_silence_but_an_unreadable_row_does(world: World) -> None:
    world.rows = [row(NOW - HOUR, OPEN), row(NOW - 60, CANARY), row(NOW - 50)]
    assert world.watch().round.last_row == NOW - HOUR
    world.rows.append({"time": NOW - 40, "events": "{"})
    assert world.watch().round.last_row == NOW - 40
    assert world.watch(types=["*.Open"]).round.last_row == NOW - HOUR


def test_types_that_do_not_come_say_nothing_of_what_braze_drops(world: World, screen: Screen) -> None:
    world.rows = [row(NOW - 3 * DAY, BUY), row(NOW - 60, OPEN)]
    for types in (["*.Purchase"], ["*.Click"]):
        outcome = world.watch(types=types)
        assert (outcome.round.silence, outcome.exit_code) == (Silence.SILENT, ExitCode.FINDINGS)
        print_changes(None, outcome.round, screen.terminal)
    assert screen.out.splitlines() == [
        "2026-07-01 10:00:00 silent: last row with these types 72 h 0 min ago (2026-06-28T10:00:00Z)",
        "2026-07-01 10:00:00 silent: no row with these types was received in the last 7 days",
    ]


def test_a_table_without_rows_is_silent(world: World, screen: Screen) -> None:
    world.rows = []
    world.service.reset(Engine({TABLE: []}), {TABLE: {"events": "string"}})
    outcome = world.watch()
    assert (outcome.round.silence, outcome.round.types) == (Silence.SILENT, ())
    print_changes(None, outcome.round, screen.terminal)
    assert screen.out == "2026-07-01 10:00:00 silent: no row was received in the last 7 days\n"


def test_a_table_without_columns_has_no_rows_yet(world: World) -> None:
    request = world.request()
    world.service.reset(Engine({}), {TABLE: {}})
    assert run(request, now=lambda: world.now).round.last_row is None


def test_types(world: World) -> None:
    """Fewer than half of the usual events, or none."""
    world.rows = [each for each in hourly(40, days=5) if each["time"] < NOW - 2 * HOUR]
    world.rows += [row(NOW - 1800, *[OPEN] * 15, "users.New"), row(NOW - 60, OPEN)]
    types = {each.event_type: each for each in world.watch().round.types}
    assert (types[OPEN].events, types[OPEN].usual, types[OPEN].pace) == (15, 40, Pace.LOW)
    assert (types["users.New"].events, types["users.New"].pace) == (1, Pace.USUAL)
    assert types[BUY].pace is Pace.USUAL  # there are too few for silence to mean anything
    world.rows.pop(-2)
    world.rows.append(row(NOW - 1800, BUY))
    outcome = world.watch()
    assert {each.event_type: each.pace for each in outcome.round.types} == {OPEN: Pace.SILENT, BUY: Pace.USUAL}
    assert outcome.exit_code is ExitCode.FINDINGS
    assert [each.event_type for each in world.watch(types=[BUY]).round.types] == [BUY]


@pytest.mark.parametrize("received", [None, NOW - 60], ids=["receive time in time", "in a column of its own"])
def test_flat_rows(world: World, received: int | None) -> None:
    """Of the streaming connector, and those that `parse --into` wrote, whose `time` is that of the event."""
    of_row: dict[str, Any] = {"time": NOW - 60} if received is None else {"time": NOW - 600, "received_time": received}
    rows = [{"event_type": each, "id": "1", **of_row} for each in (OPEN, OPEN, CANARY)]
    request = world.request()
    world.service.reset(Engine({TABLE: rows}), {TABLE: dict.fromkeys(rows[0].keys() - {"time"}, "string")})
    outcome = run(request, now=lambda: world.now)
    assert (outcome.round.last_row, outcome.round.silence) == (NOW - 60, Silence.NONE)
    world.now += 3000
    assert [each.events for each in run(request, now=lambda: world.now).round.types] == [2]


def test_what_is_usual_is_read_once_a_day_and_a_round_scans_two_hours(world: World) -> None:
    request = world.request()
    for hours in (0, 1, 23, 24):
        world.now = NOW + hours * HOUR
        world.rows.append(row(int(world.now) - 60, OPEN))
        world.watch(silent_after=5 * HOUR)
        since = [int(query.partition("TD_TIME_RANGE(time, ")[2].partition(",")[0]) for query in world.service.queries]
        scanned = [int(world.now) - each for each in since]
        assert scanned == ([7 * DAY] * (hours in {0, 24}) + [2 * HOUR])
    assert load_rates(request.rates_file).read_at == NOW + DAY
    request.rates_file.write_text(json.dumps({"read_at": world.now, "by_type": {"a": [1]}}))
    world.watch()
    assert len(world.service.queries) == 2


def test_rows_older_than_a_round_scans_are_remembered(world: World) -> None:
    world.rows = [row(NOW - HOUR, OPEN)]
    world.watch()
    world.now += 10 * HOUR
    assert world.watch().round.quiet_for == 11 * HOUR
    assert len(world.service.queries) == 1
    world.now += 10 * DAY
    assert world.watch().round.silence is Silence.LOST


def test_nothing_is_queried_if_the_state_cannot_be_kept(world: World) -> None:
    file = world.folder / "file"
    file.touch()
    with pytest.raises(OutputError, match="cannot create the folder"):
        world.watch(state_folder=file)
    assert world.service.queries == []


def test_a_time_in_the_future_does_not_hide_silence(world: World) -> None:
    """Of a row, and of what is kept."""
    world.rows = [row(NOW - HOUR, OPEN), row(NOW + 3 * DAY, OPEN)]
    found = world.watch().round
    assert (found.quiet_for, found.silence) == (HOUR, Silence.SILENT)
    file = world.request().rates_file
    file.write_text(json.dumps({"read_at": NOW, "by_type": {}, "last_row": NOW + DAY}))
    assert world.watch().round.quiet_for == HOUR


KEPT = "Braze keeps what it cannot deliver until 2026-07-03T10:19:59Z (48 hours), or 2026-07-06T10:19:59Z (five days)"


def test_a_line_at_each_change_of_state(world: World, screen: Screen) -> None:
    """Until it is interrupted; a service that cannot be reached for a while does not end it."""
    live = world.rows
    live.append(row(NOW - 60, OPEN))

    def arrives(*types: str) -> Callable[[], None]:
        return lambda: live.append(row(int(world.now) - 1, *types))

    world.script = [arrives(OPEN), lambda: None, lambda: None, arrives(*[OPEN] * 20), lambda: None]
    with pytest.raises(Stopped):
        world.watch(once=False, every=1200.0)
    for before, now in world.rounds:
        print_changes(before, now, screen.terminal)
    assert len(world.rounds) == 6
    assert screen.out.splitlines() == [
        "2026-07-01 10:00:00 ok: last row 1 min ago, 21 events in the hour until 09:55 (usual 21)",
        f"2026-07-01 11:00:00 silent: last row 40 min ago (2026-07-01T10:19:59Z). {KEPT}",
        "2026-07-01 11:20:00 ok: rows come again: last row 1 s ago, 1 event in the hour until 11:15 (usual 20)",
    ]


def test_a_service_that_cannot_be_reached(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends one round, but no watch."""
    from td_currents_cli.treasure_data.client import TdClient  # noqa: PLC0415 -- only here

    columns, failures = TdClient.columns, [1, 1]

    def failing(self: TdClient, database: str, table: str) -> dict[str, str]:
        if failures:
            failures.pop()
            raise UnreachableError("no connection")
        return columns(self, database, table)

    monkeypatch.setattr(TdClient, "columns", failing)
    with pytest.raises(UnreachableError):
        world.watch()
    world.script = [lambda: None]
    with pytest.raises(Stopped):
        world.watch(once=False)
    assert "no connection; next round in 300 s" in world.told
    assert len(world.rounds) == 1


def test_a_canary_becomes_a_row(world: World, tmp_path: Path) -> None:
    """It is sent by the means of `send`, and looked for by those of `verify`."""
    key = tmp_path / "key"
    key.write_text("1/" + "5ec4" * 10)
    with Served(tmp_path / "rows.jsonl") as receiver:
        canary = Canary(destination=Destination(url=receiver.url("braze", "raw"), write_key_file=str(key)), within=60)

        def stores() -> None:
            stored = [json.loads(line) for line in receiver.store.read_text("utf-8").splitlines()]
            world.rows += [{"time": int(world.now), "events": each["events"]} for each in stored]

        world.script = [stores]
        outcome = world.watch(canary=canary)
        found = outcome.round.canary
        assert found is not None
        assert found.arrived
        (sent,) = [json.loads(line)["events"] for line in receiver.store.read_text("utf-8").splitlines()]
        ((event),) = json.loads(sent)
        assert event["event_type"] == CANARY
        assert CANARY not in {each.event_type for each in outcome.round.types}
        world.script = [lambda: None] * 99
        lost = world.watch(canary=canary)
        assert lost.round.canary == CanaryResult(
            None, "not a row 60 s after HTTP 200; Treasure Data also returns 200 for a wrong write key"
        )
        assert lost.exit_code is ExitCode.FINDINGS
    refused = world.watch(canary=Canary(destination=canary.destination, within=0.01))
    assert refused.round.canary is not None
    assert "connection refused" in refused.round.canary.reason


def test_a_canary_without_a_key_is_wrong_usage(world: World) -> None:
    destination = Destination(url="https://us01.records.in.treasuredata.com/postback/v3/event/braze/raw")
    with pytest.raises(UsageError, match="no write key"):
        world.watch(canary=Canary(destination=destination, within=1.0), environ={})


def test_usual_rates() -> None:
    """The median of complete hours, with zero for those without events; between two hours, something of both."""
    first = 500_000 - 500_000 % 24
    rows = [(OPEN, first + day * 24 + hour, 10 * (day + hour + 1), 5.0) for day in range(3) for hour in (0, 1)]
    rates = rates_of(rows, (first + 72) * HOUR + 10)
    assert rates.by_type[OPEN][:3] == [25, 30, 0]  # the first hour may be incomplete
    assert rates.usual(OPEN, 0.0) == 25
    assert rates.usual(OPEN, 1800.0) == 27.5
    assert rates.usual("other", 0.0) is None
    assert rates_of([], 0.0) == UsualRates(0.0)
    assert rates_of([(None, 1, 5, 9.0)], 2 * HOUR).by_type == {"": [None] * 24}


def test_states_are_printed(screen: Screen) -> None:
    """As a line for each change; of a single round, as a table, and the lines below it."""
    rates = TypeRate(OPEN, 40, 41.0), TypeRate(BUY, 0, 12.0), TypeRate(None, 1, None)
    good = Round(at=NOW, last_row=NOW - 90, types=rates[:1], silent_after=1800, scanned=3900)
    bad = structs.replace(good, types=rates, canary=CanaryResult(None, "why"))
    assert [line for line, _ in change_lines(good, bad)] == [
        "users.behaviors.Purchase: silent: 0 in the last hour (usual 12)",
        "canary: lost: why",
    ]
    assert [line for line, _ in change_lines(bad, structs.replace(good, canary=CanaryResult(65.0)))] == [
        "canary: a row after 1 min",
    ]
    for hours, words in ((37, "may drop events from 2026-07-03"), (49, "for 48 hours"), (120, "for five days")):
        late = structs.replace(good, at=NOW + hours * HOUR)
        ((line, _style),) = change_lines(good, late)
        assert words in line
    print_watch(WatchOutcome(table="td://braze/raw", round=bad, usual_from=None), screen.terminal)
    assert [" ".join(line.split()) for line in screen.out.splitlines() if line.strip()][2:] == [
        f"{OPEN} 40 41 ok",
        f"{BUY} 0 12 silent",
        "(none) 1 new",
        "2026-07-01 10:00:00 ok: last row 1 min ago, 41 events in the hour until 09:55 (usual 53)",
        f"2026-07-01 10:00:00 {BUY}: silent: 0 in the last hour (usual 12)",
        "2026-07-01 10:00:00 canary: lost: why",
    ]


def test_a_table_that_does_not_exist(world: World) -> None:
    request = world.request()
    world.service.reset(Engine({}), {("braze", "other"): {"events": "string"}})
    with pytest.raises(InputError, match="has no table raw"):
        run(request, now=lambda: world.now)


def test_a_filter_names_another_file(world: World) -> None:
    request = world.request()
    other = world.request(types=["*.Open"])
    assert request.rates_file != other.rates_file
    assert other.wanted.types == TypeGlobs.of(["*.Open"])


def command(world: World, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    """Run the command in this process, against the service."""
    environment = {"TD_API_KEY": API_KEY, **world.service.environ(), "XDG_STATE_HOME": str(world.folder)}
    for name in ("TDCUR_URL", "TDCUR_SITE", "TD_WRITE_KEY"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner().invoke(app, ["watch", "td://braze/raw", *options], env=environment)


def test_the_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks once, says what it scans, and exits with 1."""
    world.now = time.time()
    world.rows = [row(int(world.now) - 2 * HOUR, OPEN)]
    world.request()
    ended = command(world, monkeypatch, "--once")
    assert ended.exit_code == ExitCode.FINDINGS
    assert "silent: last row 2 h 0 min ago" in ended.stdout
    assert "each round reads the rows of the last 65 minutes; Treasure Data bills" in ended.stderr
    assert "once a day" in ended.stderr
    again = command(world, monkeypatch, "--once", "--format", "json", "--silent-after", "3h")
    assert (again.exit_code, json.loads(again.stdout)["summary"]["silence"]) == (ExitCode.OK, "none")
    assert "once a day" not in again.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--url http://x", "--url cannot be used with `watch` without --canary"),
        ("--canary-within 5m", "--canary-within cannot be used with `watch` without --canary"),
        ("--once --every 5m", "--every cannot be used with --once"),
        ("--format json", "--format json works only with --once"),
        ("--every 0", "--every must be at least 1s"),
        ("--silent-after soon", "--silent-after is not a duration"),
        ("--once --canary", "no endpoint given"),
    ],
)
def test_options_that_do_not_go_together(
    world: World, monkeypatch: pytest.MonkeyPatch, options: str, message: str
) -> None:
    ended = command(world, monkeypatch, *options.split())
    assert ended.exit_code == ExitCode.USAGE
    assert message in ended.output
