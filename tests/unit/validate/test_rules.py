"""Rules whose case would be a large file, a torn one, or one that needs a catalog; and the places of problems."""

import gzip
import json
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from td_currents_cli import catalog, count
from td_currents_cli.braze import CANARY, MAX_BYTES, MAX_EVENT_BYTES
from td_currents_cli.catalog import overlay
from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Batch, Code, Location, Problem, Severity
from td_currents_cli.read import sources
from td_currents_cli.validate import ValidateOutcome, ValidateRequest, run
from td_currents_cli.validate.checker import Checker
from td_currents_cli.validate.command import Selection
from td_currents_cli.validate.rules import RULES

NOW = 1_800_000_000
CASES = Path(__file__).parents[2] / "cases"
EXPECTED = ".expected.json"
MADE_HERE = {
    *(Code.UNREADABLE, Code.DOCUMENT_TOO_LARGE, Code.LEFT_OUT, Code.SKIPPED, Code.FIELD_GONE),
    *(Code.TOO_MANY_EVENTS, Code.BODY_TOO_LARGE, Code.EVENT_TOO_LARGE, Code.EVENT_DROPPED),
}
OF_SEND = {Code.BATCH_REFUSED}

OVERLAY = b"""{
  "event_types": {
    "users.behaviors.Uninstall": {"fields": {
      "app_group_id": {"until": "9"}, "2nd name": {"type": "int"}, "__class__": {"type": "string", "in": "user"}
    }},
    "users.behaviors.InstallAttribution": {"fields": {"external_user_id": {"until": "9"}}}
  },
  "custom_events": {"cart": {"sku": {"type": "string", "required": true}, "tags": {"type": "array<string>"}}},
  "purchase_properties": {"size": {"type": "string", "enum": ["S", "M"]}, "color": {"type": "string", "required": true}}
}"""

both_ways = pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])


def event(number: int = 0, event_type: str = "users.behaviors.Uninstall", /, **properties: object) -> str:
    """A clean event of a type that needs nothing but an `app_id`, with further properties."""
    user = '{"user_id":"b","external_user_id":"u"}'
    fields = json.dumps({"app_id": "a", **properties}, separators=(",", ":"), ensure_ascii=False)
    head = f'"event_type":"{event_type}","id":"e-{number}","time":1782900000'
    return f'{{{head},"user":{user},"properties":{fields}}}'


def event_of(size: int) -> str:
    """A clean event of this many bytes."""
    return event(app_group_id="x" * (size - len(event(app_group_id=""))))


def test_a_canary_of_watch_is_no_unknown_type(tmp_path: Path) -> None:
    path = tmp_path / "canary.json"
    path.write_text(batch(event(0, CANARY), event(1, "tdcur.other")), encoding="utf-8")
    request = ValidateRequest(sources=sources([str(path)]), selection=Selection.of((), ()), now=NOW)
    (problem,) = run(request).problems.kept
    assert (problem.code, problem.event_type) == (Code.UNKNOWN_EVENT_TYPE, "tdcur.other")


def batch(*events: str) -> str:
    return '{"events":[' + ",".join(events) + "]}"


@cache
def checker(*, fast: bool = True, own: bool = False) -> Checker:
    """A checker with the catalog, or with the overlay too."""
    known = overlay.overlaid(catalog.load(), OVERLAY, "overlay.json") if own else catalog.load()
    return Checker(known, NOW, fast=fast)


def found(text: str, *, fast: bool = True, row: int | None = None, own: bool = False) -> list[Problem]:
    """The problems in one payload, or in the cell of a row."""
    checked = list(checker(fast=fast, own=own)(Batch(text.encode(), Location("x", 1, None if row else 1, row))))
    return [problem for each in checked for problem in each.problems]


def errors(outcome: ValidateOutcome) -> list[Problem]:
    return [problem for problem in outcome.problems.kept if problem.severity is Severity.ERROR]


def assert_marked(problems: list[Problem], marked: str, expected: list[tuple[Code, str]]) -> None:
    """Hold problems to these codes and pointers, and each to the place of its mark (►) in the text."""
    before = list(accumulate(marked.split("►")))[:-1]
    places = [(each.count("\n") + 1, len(each) - each.rfind("\n")) for each in before]
    shown = [(each.code, each.pointer, (each.location.line, each.location.column)) for each in problems]
    assert shown == [(*each, place) for each, place in zip(expected, places, strict=True)]


def validate(path: Path, **options: Any) -> ValidateOutcome:
    found = sources([str(path)], **options)
    return run(ValidateRequest(sources=found, selection=Selection.of((), ()), now=NOW))


def validate_text(path: Path, text: str) -> ValidateOutcome:
    path.write_text(text, encoding="utf-8")
    return validate(path)


def case_files(kind: str) -> list[Path]:
    return sorted(path for path in (CASES / kind).iterdir() if not path.name.endswith(EXPECTED))


def expected_of(path: Path) -> Any:
    return json.loads(path.with_name(path.name + EXPECTED).read_text("utf-8"))


@pytest.mark.parametrize("path", case_files("bad"), ids=lambda path: path.name)
def test_what_is_wrong_is_found_where_it_is(path: Path) -> None:
    """Problems have the severity of their rule, also those of the reading layers, which do not know the rules."""
    names = ("code", "severity", "line", "column", "pointer")
    kept = validate(path).problems.kept
    assert [{name: problem.as_dict()[name] for name in names} for problem in kept] == expected_of(path)
    assert all(problem.severity is RULES[problem.code].severity for problem in kept)


@pytest.mark.parametrize("path", case_files("good"), ids=lambda path: path.name)
def test_what_people_have_is_read(path: Path) -> None:
    counted, checked = count.run(count.CountRequest(sources([str(path)]))), validate(path)
    balance, problems = counted.balance, checked.problems.kept
    found = {"rows": balance.rows_read, "events": balance.events_out, "problems": [each.code for each in problems]}
    assert found == expected_of(path)
    assert Severity.ERROR not in {problem.severity for problem in problems}
    assert balance.events_read == balance.events_out == checked.balance.events_read
    assert counted.exit_code is ExitCode.OK


def test_every_rule_has_a_case() -> None:
    """A file that is named for it and holds a problem of it, or a test in this module."""
    for code in set(RULES) - MADE_HERE - OF_SEND:
        expected = [expected_of(path) for path in case_files("bad") if path.name.startswith(f"{code}_")]
        assert code in {problem["code"] for problems in expected for problem in problems}, code
    assert set(RULES) == set(Code)


@pytest.mark.parametrize(
    ("time", "message", "hint"),
    [
        ("1782900000123", "`time` is in milliseconds, not in seconds", "Divide it by 1,000."),
        ("1782900000123456", "`time` is in microseconds, not in seconds", "Divide it by 1,000,000."),
        ("1782900000123456789", "`time` is in nanoseconds, not in seconds", "Divide it by 1,000,000,000."),
        ("-1", "`time` is negative", RULES[Code.TIME_INVALID].fix),
    ],
)
def test_each_problem_says_what_to_do(time: str, message: str, hint: str, tmp_path: Path) -> None:
    """In all forms: where it has no hint of its own, the fix of its rule stands in for it."""
    (problem,) = validate_text(tmp_path / "bad.json", batch(event()).replace("1782900000", time)).problems.kept
    assert (problem.message, problem.hint) == (message, hint)


def test_a_torn_file_is_unreadable_and_what_came_before_is_checked(tmp_path: Path) -> None:
    """TDC001, at the place the bytes end at, outweighs the other problems."""
    lines = (batch(event(0, app_id=7)) + "\n").encode() * 2
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0)[:-9])
    outcome = validate(tmp_path / "x.jsonl.gz")
    assert outcome.problems.kept[-1].code is Code.UNREADABLE
    assert outcome.by_code[Code.FIELD_TYPE] >= 1
    assert outcome.exit_code is ExitCode.IO


def test_what_is_not_read_is_reported(tmp_path: Path) -> None:
    """A document that is too large ends its source, and outweighs other problems; files that are left out do not."""
    (tmp_path / "a.jsonl").write_text(batch(event(0)) + "\n" + batch(event_of(5000)) + "\n" + batch(event(1)) + "\n")
    (tmp_path / "notes.txt").write_text("call back")
    outcome = validate(tmp_path, max_document_size=4000)
    assert [problem.code for problem in outcome.problems.kept] == [Code.LEFT_OUT, Code.DOCUMENT_TOO_LARGE]
    assert (outcome.problems.kept[1].location.line, outcome.balance.events_read) == (2, 1)
    assert (outcome.exit_code, outcome.files) == (ExitCode.IO, 1)


HUNDRED = [event(number) for number in range(100)]
HALF = event_of(MAX_BYTES // 2)
REST = MAX_BYTES - len(batch(HALF, ""))
LARGEST = MAX_BYTES - len(batch(""))
INSTALLED = event(0, "users.behaviors.InstallAttribution", source="s").replace(',"external_user_id":"u"', "")
INSTALLED = INSTALLED.replace('"app_id":"a",', "")
ODD = event(0, **{"2nd name": 1}).replace('{"user_id"', '{"__class__":"c","user_id"')
PURCHASE = {"product_id": "p", "currency": "EUR", "price": 1, "purchase_properties": {"color": "red", "size": "S"}}
BOUGHT = event(0, "users.behaviors.Purchase", **PURCHASE)
DROPPED = (Code.EVENT_DROPPED, "/events/0")
BELOW = "/events/0/properties/"


@both_ways
@pytest.mark.parametrize(
    ("text", "expected", "own"),
    [
        (batch(*HUNDRED), [], False),
        (batch(*HUNDRED, event(100)).replace("[", "►[", 1), [(Code.TOO_MANY_EVENTS, "/events")], False),
        # One byte above the limit; and an event that cannot be sent even by itself.
        (batch(HALF, event_of(REST)), [], False),
        ("►" + batch(HALF, event_of(REST + 1)), [(Code.BODY_TOO_LARGE, "")], False),
        (batch("►" + event_of(LARGEST)), [DROPPED], False),
        (
            "►" + batch("►►" + event_of(LARGEST + 1)),
            [(Code.BODY_TOO_LARGE, ""), (Code.EVENT_TOO_LARGE, "/events/0"), DROPPED],
            False,
        ),
        # A large event by itself or among others, but no large payload.
        (batch(event_of(MAX_EVENT_BYTES)), [], False),
        (batch(event(1), "►" + event_of(MAX_EVENT_BYTES + 1)), [(Code.EVENT_DROPPED, "/events/1")], False),
        (batch(*[event_of(MAX_EVENT_BYTES // 8).replace("e-0", f"e-{n}") for n in range(9)]), [], False),
        # At the name of the field, whatever its value.
        (
            batch(event(0, app_group_id=None).replace('"app_group', '►"app_group')),
            [(Code.FIELD_GONE, BELOW + "app_group_id")],
            True,
        ),
        (batch(event()), [], True),
        # Nobody misses an external user id that is not sent any more.
        (batch(INSTALLED.replace('{"user_id"', '►{"user_id"')), [(Code.NO_EXTERNAL_USER_ID, "/events/0/user")], False),
        (batch(INSTALLED), [], True),
        # Also names that no programming language would take.
        (batch(ODD), [], True),
        (batch(ODD.replace('"c"', "►[]")), [(Code.FIELD_TYPE, "/events/0/user/__class__")], True),
        (batch(BOUGHT), [], True),
        (batch(BOUGHT.replace('"S"', '►"XL"')), [(Code.VALUE_NOT_IN_SET, BELOW + "purchase_properties/size")], True),
        (batch(BOUGHT.replace('{"color":"red",', "►{")), [(Code.FIELD_MISSING, BELOW + "purchase_properties")], True),
        # A few problems are searched for one by one, many are found in one pass.
        *(
            (
                batch(event(0, **dict.fromkeys(names, 1)).replace('"ap_', '►"ap_')),
                [(Code.UNKNOWN_FIELD, BELOW + name) for name in names],
                False,
            )
            for names in ([f"ap_id_{number}_" for number in range(most)] for most in (3, 60))
        ),
    ],
)
def test_limits_and_a_catalog_of_ones_own(
    text: str, expected: list[tuple[Code, str]], own: bool, *, fast: bool
) -> None:
    assert_marked(found(text.replace("►", ""), fast=fast, own=own), text, expected)


@both_ways
@pytest.mark.parametrize(
    "cell", [batch(*HUNDRED, event(100)), f"[{','.join(HUNDRED)},{event(100)}]", f"[{event_of(MAX_BYTES)}]"]
)
def test_no_limit_of_requests_concerns_what_has_arrived(cell: str, *, fast: bool) -> None:
    assert found(cell, fast=fast, row=1) == []


@both_ways
@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ('"price":9223372036854775807', None),
        ('"price":►9223372036854775808', Code.NUMBER_TOO_LARGE),
        ('"price":►-9223372036854775809', Code.NUMBER_TOO_LARGE),
        ('"price":1e19', None),
        ('"price":►1E+400', Code.NUMBER_TOO_LARGE),
        ('"price":1,►"price":2', Code.DUPLICATE_KEY),
        ('"price":7,►"price":"","price":1', Code.DUPLICATE_KEY),
        (r'"price":1,"app_id":7,►"\u0061pp_id":"\u0022\u0022"', Code.DUPLICATE_KEY),
        (r'"price":1,"app_id":"",►"app_id":"\u0022\\\"\u0022\u0022\u0022"', Code.DUPLICATE_KEY),
        (r'"price":1,"app_id":"\u0022,\u0022app_id\u0022:\u0022"', None),
        (r'"price":1,"app_id":"\\\\\"\\"', None),
        (r'"price":1,"app_id":"",►"app_id":"\u003a"', Code.DUPLICATE_KEY),
        (r'"price":1,"app_id":"",►"app_id":"\u003A"', Code.DUPLICATE_KEY),
        (r'"price":1,"app_id":":\u003a:"', None),
    ],
)
def test_what_a_decoder_does_not_notice(properties: str, code: Code | None, *, fast: bool) -> None:
    """Large integers where a float may stand, and repeated names behind texts that gain quotes or colons."""
    marked = batch(
        event(0, "users.behaviors.Purchase", product_id="p", currency="EUR").replace('"app_id":"a"', properties)
    )
    problems = found(marked.replace("►", ""), fast=fast)
    assert [(each.code, each.location.column) for each in problems[:1]] == (
        [(code, marked.index("►") + 1)] if code else []
    )


@both_ways
@pytest.mark.parametrize(
    ("properties", "code", "pointer"),
    [
        ('"name":"cart","custom_properties":{"sku":"s","tags":["t"],"more":1}', None, ""),
        ('"name":"other"', None, ""),
        ('"name":"cart","custom_properties":{"sku":►5}', Code.FIELD_TYPE, "/custom_properties/sku"),
        ('"name":"cart","custom_properties":►{}', Code.FIELD_MISSING, "/custom_properties"),
        ('"name":"cart","custom_properties":{"sku":►null}', Code.FIELD_MISSING, "/custom_properties/sku"),
        ('"name":"cart","custom_properties":►null', Code.FIELD_MISSING, "/custom_properties"),
        ('"name":"cart","custom_properties":{"sku":"s","tags":["t",►5]}', Code.FIELD_TYPE, "/custom_properties/tags/1"),
    ],
)
def test_custom_events_that_are_described(properties: str, code: Code | None, pointer: str, *, fast: bool) -> None:
    """What a catalog of one's own says of them holds, each problem at the value's own place."""
    text = batch(event(0, "users.behaviors.CustomEvent").replace('"app_id":"a"', f'"app_id":"a",{properties}'))
    expected = [(code, f"/events/0/properties{pointer}")] if code else []
    assert_marked(found(text.replace("►", ""), fast=fast, own=True), text, expected)


@both_ways
def test_a_custom_event_without_the_properties_that_it_needs(*, fast: bool) -> None:
    text = batch(event(0, "users.behaviors.CustomEvent", name="cart").replace('{"app_id"', '►{"app_id"'))
    expected = [(Code.FIELD_MISSING, "/events/0/properties")]
    assert_marked(found(text.replace("►", ""), fast=fast, own=True), text, expected)


def test_the_errors_of_one_event() -> None:
    """What `send` asks before it sends: errors, not warnings, with places counted from the event."""
    errors_of, kept = checker().errors_of, checker().fields_if_valid
    wrong = event(0, app_id=7)
    (error,) = errors_of(wrong.encode())
    assert_marked([error], wrong.replace("7}", "►7}"), [(Code.FIELD_TYPE, "/properties/app_id")])
    assert error.event_id == "e-0"
    for text, codes in (
        (event(), []),
        (event(0, another=1), []),
        (event_of(MAX_EVENT_BYTES + 1), []),
        (event_of(MAX_BYTES), [Code.EVENT_TOO_LARGE]),
        ("7", [Code.EVENT_NOT_OBJECT]),
        ("[" * 900 + "]" * 900, [Code.TOO_DEEP]),
    ):
        assert [each.code for each in errors_of(text.encode())] == codes
    assert errors_of(b'{"events":[]}')[0].code is Code.EVENT_TYPE_MISSING
    assert kept(batch(event()).encode()) is not None
    assert kept(batch(wrong).encode()) is None


def test_how_deep_is_too_deep_does_not_depend_on_who_calls() -> None:
    """The limit is a number, not the state of a parser's stack: the same at any depth of calls, fast or not."""

    def at_depth(calls: int, text: str) -> list[Code]:
        return at_depth(calls - 1, text) if calls else [each.code for each in found(text)]

    for levels in (499, 500, 501, 900, 950, 990, 1010, 5000):
        # Brackets in texts are none; what is behind them is counted.
        text = event(0, "users.behaviors.CustomEvent", name='"[{', custom_properties={"a": 0})
        nested = batch(text.replace('"a":0', '"a":' + "[" * (levels - 5) + "]" * (levels - 5)))
        codes = {tuple(at_depth(calls, nested)) for calls in (0, 100, 300)}
        assert codes == {(Code.TOO_DEEP,) if levels > 500 else ()}


def test_excerpts_show_the_line_of_the_source() -> None:
    """The caret is under the place, what stands before the event on its line is there, and ends are marked as such."""
    (long,) = found('{"events":[\n    ' + event(0, app_id=7) + "]}")
    assert long.excerpt is not None
    assert long.excerpt.text[long.excerpt.caret :] == "7}}]}"
    assert (long.excerpt.cut_before, long.excerpt.cut_after) == (True, False)
    (_, short) = found('{"a":1,\n  "events":[7]}')
    assert short.excerpt is not None
    assert (short.excerpt.text, short.excerpt.caret) == ('  "events":[7]}', 12)
    assert (short.excerpt.cut_before, short.excerpt.cut_after) == (False, False)


BAD_TIME = event().replace("1782900000", "►[]").replace("e-0", "é")
BAD_ID = event(0, app_id='"events"').replace('"e-0"', "►5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{{"events":[\n  {event()},\n  {BAD_TIME}]}}', [(Code.TIME_INVALID, "/events/1/time")]),
        # Indexes count what is not an event, too.
        (
            '{"events":[►1,►{"event_type":"a","time":1,"user":{},"properties":{}}]}',
            [(Code.EVENT_NOT_OBJECT, "/events/0"), (Code.ID_MISSING, "/events/1")],
        ),
        # A bare event is its own root, also one in whose strings the word `"events"` stands.
        (BAD_ID, [(Code.ID_INVALID, "/id")]),
        (f'{{"note":[{{}}],"events":[{BAD_ID}]}}', [(Code.ID_INVALID, "/events/0/id")]),
        (f"[{BAD_ID}]", [(Code.ID_INVALID, "/id")]),
        (f"[[{BAD_ID}]]", [(Code.ID_INVALID, "/0/id")]),
        # Index and pointer count from each document, the column from the line.
        (batch(event()) + batch(BAD_ID) + BAD_ID, [(Code.ID_INVALID, "/events/0/id"), (Code.ID_INVALID, "/id")]),
        # Equal events one after another, and before the array.
        (
            '{"x":{},"events":[' + ",".join(["►►►►►{}"] * 2) + "]}",
            [
                (code, f"/events/{index}")
                for index in (0, 1)
                for code in (
                    *(Code.EVENT_TYPE_MISSING, Code.ID_MISSING, Code.TIME_MISSING),
                    *(Code.USER_MISSING, Code.PROPERTIES_MISSING),
                )
            ],
        ),
        # Numbers and strings that no parser likes.
        (event().replace("1782900000", "►1e400").replace("e-0", "\\ud800"), [(Code.TIME_AS_FLOAT, "/time")]),
        (event().replace("1782900000", "►" + "9" * 5000), [(Code.TIME_AS_FLOAT, "/time")]),
        # Fields next to the events that are nested too deeply.
        (f'{{"x":{"[" * 499}►{"[" * 100}{"]" * 599},"events":[{event()}]}}', [(Code.TOO_DEEP, "")]),
        (f'{{"events":[{event()}],"x":{"[" * 499}►{"[" * 100}{"]" * 599}}}', [(Code.TOO_DEEP, "")]),
    ],
)
def test_places_in_all_forms_of_a_batch(text: str, expected: list[tuple[Code, str]], tmp_path: Path) -> None:
    problems = errors(validate_text(tmp_path / "x.json", text.replace("►", "")))
    assert_marked(problems, text, expected)
    assert {each.event_id for each in problems} <= {"é", "\ud800", None, "e-0"}


def test_messages_name_names_and_never_values(tmp_path: Path) -> None:
    """And a name is cut where it would not fit on a line."""
    text = event(**{"n" * 10_000: "secret"}).replace('"a"', '["secret"]').replace("1782900000", '"secret"')
    problems = validate_text(tmp_path / "x.json", text).problems.kept
    assert len(problems) >= 3
    for problem in problems:
        assert "secret" not in problem.message + problem.hint + problem.pointer
        assert len(problem.message) < 300


def test_the_summary_counts_all(tmp_path: Path) -> None:
    outcome = validate_text(tmp_path / "x.jsonl", f'{{"events":[]}}\n{batch(event())}\n{{"events":[{{}}]}}\n')
    summary: Any = outcome.summary()
    assert {"files": 1, "batches": 3, "events": 2, "errors": 5, "warnings": 0, "infos": 1}.items() <= summary.items()
    # orjson refuses an enum as a name, and what stands in for it takes twenty times as long.
    assert {type(code) for code in summary["by_code"]} == {str}
    assert outcome.exit_code is ExitCode.FINDINGS


DEEP = '{"event_type":"a","id":"1","properties":' + "[" * 600


@pytest.mark.parametrize(
    ("cell", "events", "expected"),
    [
        (f"[{event()},{DEEP}{']' * 600}}}]", 2, [("TDC007", "/1")]),
        (f"[{DEEP}{']' * 600}}},{event()}", 2, [("TDC007", "/0"), ("TDC022", "")]),
        (f"[{event()},{DEEP}", 1, [("TDC022", "")]),
        (f'[1,{event()},{{"id"', 2, [("TDC101", "/0"), ("TDC022", "")]),
        ('[{"id"', 0, [("TDC022", "")]),
        (DEEP * 10, 0, [("TDC007", "")]),
    ],
)
def test_as_many_events_as_count_reads(cell: str, events: int, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    """Of a cell that is cut off, or holds an event that is nested too deeply, the other events are checked.

    Ids came before also in such a cell.
    """
    path, quoted = tmp_path / "rows.csv", cell.replace('"', '""')
    outcome = validate_text(path, f'time,events\n1,"{quoted}"\n1,"{quoted}"\n')
    assert [(each.code, each.pointer) for each in errors(outcome)] == expected * 2
    counted = count.run(count.CountRequest(sources([str(path)]))).balance
    assert outcome.balance.events_read == counted.events_read - counted.lost == 2 * events
    repeated = [each for each in outcome.problems.kept if each.code is Code.REPEATED_ID]
    assert {(each.location.row, each.event_id) for each in repeated} <= {(2, "e-0")}
    assert len(repeated) == (event() in cell)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("keep", "examples"), [(None, None), (1, None), (None, 3)])
def test_an_array_of_events_is_one_problem(tmp_path: Path, jobs: int, keep: int | None, examples: int | None) -> None:
    """It has the place of the array and the number of its events; an event on a line of its own has a problem each."""
    path, arrays = tmp_path / "x.json", [range(3), range(3, 4), range(4, 2004)]
    lines = ["[" + ",\n".join(event(number) for number in array) + "]" for array in arrays]
    path.write_text("\n".join([*lines, event(3000), event(3001), ""]), encoding="utf-8")
    request = ValidateRequest(sources=sources([str(path)]), selection=Selection.of([], []), jobs=jobs, now=NOW)
    outcome = run(replace(request, keep=keep, examples=examples))
    array = "an array of {} instead of a batch".format
    problems = [
        (1, array("3 events")),
        (4, array("1 event")),
        (5, array("2,000 events")),
        (2005, "a single event instead of a batch"),
        (2006, "a single event instead of a batch"),
    ]
    found = [(problem.location.line, problem.message) for problem in outcome.problems.kept]
    assert found == problems[: keep or examples]
    assert outcome.by_code == {Code.BARE_EVENT: 5}
    assert outcome.balance.events_read == 2006
