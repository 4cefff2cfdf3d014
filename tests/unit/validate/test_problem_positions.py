from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli import count
from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Code, Problem, Severity
from td_currents_cli.read import sources
from td_currents_cli.validate import ValidateOutcome, ValidateRequest, run
from td_currents_cli.validate.command import Selection

OPEN = (
    '{"event_type":"users.messages.email.Open","id":"1","time":1790000000,'
    '"user":{"user_id":"u","external_user_id":"e"},"properties":{"dispatch_id":"d","email_address":"a@example.com"}}'
)


def validate(path: Path, text: str | bytes) -> ValidateOutcome:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run(ValidateRequest(sources=sources([str(path)]), selection=Selection.of((), ())))


def errors(outcome: ValidateOutcome) -> list[Problem]:
    return [problem for problem in outcome.problems.kept if problem.severity is Severity.ERROR]


def places(problems: Iterable[Problem]) -> list[tuple[Code, str, int | None, int | None]]:
    """Code, pointer, line and column of each."""
    return [(each.code, each.pointer, each.location.line, each.location.column) for each in problems]


def test_a_problem_knows_its_event_and_its_place(tmp_path: Path) -> None:
    bad = OPEN.replace('"id":"1"', '"id":"é"').replace("1790000000", "[]")
    (problem,) = errors(validate(tmp_path / "x.json", '{"events":[\n  ' + OPEN + ",\n  " + bad + "]}"))
    assert places([problem]) == [(Code.TIME_INVALID, "/events/1/time", 3, 3 + bad.index("[]"))]
    assert (problem.event_index, problem.event_id, problem.event_type) == (1, "é", "users.messages.email.Open")


def test_indexes_count_what_is_no_event_too(tmp_path: Path) -> None:
    """The pointer leads to the event, whatever stands before it in the array."""
    outcome = validate(tmp_path / "x.json", '{"events":[1,{"event_type":"a","time":1,"user":{},"properties":{}}]}')
    assert places(errors(outcome)) == [
        (Code.EVENT_NOT_OBJECT, "/events/0", 1, 12),
        (Code.ID_MISSING, "/events/1", 1, 14),
    ]


@pytest.mark.parametrize(
    ("before", "after", "pointer"),
    [
        ("", "", ""),
        ('{"note":[{}],"events":[', "]}", "/events/0"),
        ("[", "]", ""),
        ("[[", "]]", "/0"),
    ],
)
def test_pointers_begin_at_the_root_of_the_document(before: str, after: str, pointer: str, tmp_path: Path) -> None:
    """A bare event is its own root, also one in whose texts the word `"events"` stands."""
    event = OPEN.replace('"id":"1"', '"id":5').replace('"d"', '"\\"events\\""')
    (problem,) = errors(validate(tmp_path / "x.json", before + event + after))
    assert places([problem]) == [(Code.ID_INVALID, f"{pointer}/id", 1, len(before) + event.index(":5") + 2)]


def test_documents_on_one_line_have_their_own_pointers(tmp_path: Path) -> None:
    """Index and pointer count from each document, the column from the line."""
    bad = OPEN.replace('"id":"1"', '"id":5')
    one = '{"events":[' + OPEN + "]}"
    outcome = validate(tmp_path / "x.json", one + '{"events":[' + bad + "]}" + bad)
    column = len(one) + len('{"events":[') + bad.index(":5") + 2
    assert places(errors(outcome)) == [
        (Code.ID_INVALID, "/events/0/id", 1, column),
        (Code.ID_INVALID, "/id", 1, column + len(bad) + 2),
    ]


def test_the_same_text_twice_is_found_where_it_is(tmp_path: Path) -> None:
    """Equal events one after another, and before the array."""
    outcome = validate(tmp_path / "x.json", '{"x":{},"events":[{},{}]}')
    found = [(each.pointer, each.location.column) for each in errors(outcome) if each.code is Code.ID_MISSING]
    assert found == [("/events/0", 19), ("/events/1", 22)]


def test_values_that_no_parser_likes(tmp_path: Path) -> None:
    """Lone surrogates, numbers beyond all limits: problems about the type, and no stop."""
    event = OPEN.replace("1790000000", "1e400").replace('"id":"1"', '"id":"\\ud800"')
    (problem,) = errors(validate(tmp_path / "x.json", event))
    assert (problem.pointer, problem.event_id) == ("/time", "\ud800")
    big = OPEN.replace("1790000000", "9" * 5000)
    assert {each.pointer for each in validate(tmp_path / "x.json", big).problems.kept} == {"", "/time"}


def test_nesting_at_the_edge_of_what_can_be_read(tmp_path: Path) -> None:
    """Read, or said to be too deep: nothing in between."""
    depths = range(900, 1010, 3)
    events = [OPEN.replace('"d"', "[" * depth + "]" * depth) for depth in depths]
    problems = errors(validate(tmp_path / "x.jsonl", "\n".join(events)))
    for line, depth in enumerate(depths, 1):
        codes = {each.code for each in problems if each.location.line == line}
        assert codes in ({Code.FIELD_TYPE}, {Code.TOO_DEEP}), depth


def test_an_empty_batch_is_a_note(tmp_path: Path) -> None:
    """It is Braze's connection test."""
    outcome = validate(tmp_path / "x.json", '{"events":[]}')
    assert [(each.code, each.severity) for each in outcome.problems.kept] == [(Code.EMPTY_BATCH, Severity.INFO)]
    assert outcome.exit_code is ExitCode.OK


def test_messages_name_names_and_never_values(tmp_path: Path) -> None:
    """And a name is cut where it would not fit on a line."""
    text = OPEN.replace('"properties":{', '"properties":{"' + "n" * 10_000 + '":"secret",')
    text = text.replace('"d"', '"secret"').replace('"a@example.com"', '["secret"]').replace("1790000000", '"secret"')
    outcome = validate(tmp_path / "x.json", text)
    assert len(outcome.problems.kept) >= 3
    for problem in outcome.problems.kept:
        assert "secret" not in problem.message + problem.hint + problem.pointer
        assert len(problem.message) < 300


def test_the_summary_counts_all(tmp_path: Path) -> None:
    outcome = validate(tmp_path / "x.jsonl", '{"events":[]}\n{"events":[' + OPEN + ']}\n{"events":[{}]}\n')
    figures = {"files": 1, "batches": 3, "events": 2, "errors": 5, "warnings": 0, "infos": 1}
    summary = outcome.summary()
    assert figures.items() <= summary.items()
    # orjson refuses an enum as a name, and what stands in for it takes twenty times as long.
    by_code: Any = summary["by_code"]
    assert {type(code) for code in by_code} == {str}
    assert outcome.exit_code is ExitCode.FINDINGS


def test_ids_of_a_cell_that_is_cut_off_came_before_too(tmp_path: Path) -> None:
    """What is left of the cell is looked at again for the place of its id."""
    cell = '[{"event_type":"users.behaviors.Uninstall","id":"e-1"},{"event_type":"us'.replace('"', '""')
    outcome = validate(tmp_path / "rows.csv", f'time,events\n1790000000,"{cell}"\n1790000000,"{cell}"\n')
    repeated = [problem for problem in outcome.problems.kept if problem.code is Code.REPEATED_ID]
    assert [(problem.location.row, problem.event_id, problem.pointer) for problem in repeated] == [(2, "e-1", "/0/id")]


DEEP = '{"event_type":"a","id":"1","properties":' + "[" * 600


@pytest.mark.parametrize(
    ("cell", "events", "problems"),
    [
        (f"[{OPEN},{DEEP}{']' * 600}}}]", 2, [("TDC007", "/1")]),
        (f"[{DEEP}{']' * 600}}},{OPEN}", 2, [("TDC007", "/0"), ("TDC022", "")]),
        (f"[{OPEN},{DEEP}", 1, [("TDC022", "")]),
        (f'[1,{OPEN},{{"id"', 2, [("TDC101", "/0"), ("TDC022", "")]),
        ('[{"id"', 0, [("TDC022", "")]),
        (DEEP * 10, 0, [("TDC007", "")]),
    ],
)
def test_as_many_events_as_count_reads(cell: str, events: int, problems: list[tuple[str, str]], tmp_path: Path) -> None:
    """Of a cell that is cut off, or holds an event that is nested too deeply, the other events are checked."""
    path = tmp_path / "rows.csv"
    quoted = cell.replace('"', '""')
    outcome = validate(path, f'time,events\n1,"{quoted}"\n')
    assert [(each.code, each.pointer) for each in errors(outcome)] == problems
    counted = count.run(count.CountRequest(sources([str(path)]))).balance
    assert outcome.balance.events_read == counted.events_read - counted.lost == events


def test_fields_next_to_the_events_that_are_nested_too_deeply(tmp_path: Path) -> None:
    for before, after in (('"x":' + "[" * 600 + "]" * 600 + ",", ""), ("", ',"x":' + "[" * 600 + "]" * 600)):
        text = f'{{{before}"events":[{OPEN}]{after}}}'
        (problem,) = errors(validate(tmp_path / "x.json", text))
        assert places([problem]) == [(Code.TOO_DEEP, "", 1, text.index("[" * 600) + 500)]
