"""`tdcur show`: which events, where they are, and that personal data is hidden."""

import json
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.read import sources
from td_currents_cli.show import ShowOutcome, ShowRequest, run
from tests.command import tdcur_text

SAMPLES = Path(__file__).parents[2] / "sample_data"
ANN = {
    "event_type": "a.b.Open",
    "id": "1",
    "time": 1,
    "user": {"user_id": "u"},
    "properties": {"email_address": "a@b.example"},
}
BOB = {"event_type": "a.b.Click", "id": "2", "time": 2, "user": {}, "properties": {"note": "call +49 30 1234567"}}


def shown(tmp_path: Path, text: str, **request: Any) -> ShowOutcome:
    (tmp_path / "x.jsonl").write_text(text, encoding="utf-8")
    return run(ShowRequest(sources=tuple(sources([str(tmp_path / "x.jsonl")])), **request))


def lines(*batches: list[dict[str, Any]]) -> str:
    return "".join(json.dumps({"events": events}) + "\n" for events in batches)


def ids(outcome: ShowOutcome) -> list[Any]:
    return [json.loads(each.event).get("id") for each in outcome.events]


def test_the_first_events_are_shown_with_their_places(tmp_path: Path) -> None:
    outcome = shown(tmp_path, lines([], [ANN, BOB], [ANN]), limit=2)
    assert ids(outcome) == ["1", "2"]
    assert [(each.location.line, each.location.row, each.index) for each in outcome.events] == [
        (2, None, 0),
        (2, None, 1),
    ]
    assert outcome.is_limited
    assert outcome.exit_code == ExitCode.OK


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_rows_are_read_too(name: str) -> None:
    outcome = run(ShowRequest(sources=tuple(sources([str(SAMPLES / "rows" / name)])), limit=20))
    assert len(outcome.events) == 20
    assert {each.location.row for each in outcome.events} == {1, 2}


def test_events_are_found_by_id_and_type(tmp_path: Path) -> None:
    text = lines([ANN, BOB], [BOB])
    assert ids(shown(tmp_path, text, ids=frozenset({"2"}))) == ["2", "2"]
    assert ids(shown(tmp_path, text, filter=Filter(types=TypeGlobs.of(["*.open"])))) == ["1"]


def test_an_id_that_is_nowhere_is_named(tmp_path: Path) -> None:
    outcome = shown(tmp_path, lines([ANN]), ids=frozenset({"1", "9"}))
    assert outcome.missing == ("9",)
    assert outcome.exit_code == ExitCode.FINDINGS
    assert shown(tmp_path, lines([ANN]), ids=frozenset({"1", "9"}), limit=1).missing == ()


def test_personal_data_is_hidden_unless_asked_for(tmp_path: Path) -> None:
    text = lines([ANN, BOB])
    masked = b"".join(each.event for each in shown(tmp_path, text).events)
    assert b"a@b" not in masked
    assert b"1234567" not in masked
    assert b'"***"' in masked
    plain = shown(tmp_path, text, unmask=True)
    assert [json.loads(each.event) for each in plain.events] == [ANN, BOB]


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_shown(tmp_path: Path) -> None:
    outcome = shown(tmp_path, lines([ANN]) + "{broken\n" + lines([BOB]))
    assert ids(outcome) == ["1", "2"]
    assert outcome.exit_code == ExitCode.FINDINGS
    assert outcome.balance.balanced
    assert outcome.summary()["rows_rejected"] == 1


@pytest.mark.parametrize("event", ['{"id":"\\ud800"}', '{"id":1e400}', "{}"])
def test_odd_events_are_shown(tmp_path: Path, event: str) -> None:
    assert len(shown(tmp_path, f'{{"events":[{event}]}}\n').events) == 1


@pytest.mark.parametrize(
    ("paths", "hint"),
    [
        (["abc-1"], "Did you mean --id abc-1?"),
        (["users.behaviors.Purchase"], "Did you mean --type users.behaviors.Purchase?"),
        (["other.json"], "Nothing was read."),
    ],
)
def test_an_id_or_a_type_in_place_of_a_path_is_recognized(tmp_path: Path, paths: list[str], hint: str) -> None:
    (tmp_path / "x.json").write_text(lines([ANN]), encoding="utf-8")
    ended = tdcur_text("show", "x.json", *paths, cwd=tmp_path)
    assert ended.returncode == ExitCode.IO
    assert f"error: {paths[0]}: no such file or folder\nhint: {hint}" in ended.stderr
    alone = tdcur_text("show", *paths, cwd=tmp_path)
    assert "hint: Nothing was read." in alone.stderr
