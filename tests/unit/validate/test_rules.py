"""Rules whose case would be a large file, a torn one, or one that needs a catalog. No rule is without a case."""

import gzip
import json
from functools import cache
from pathlib import Path

import pytest

from td_currents_cli import catalog
from td_currents_cli.braze import MAX_BYTES, MAX_EVENT_BYTES
from td_currents_cli.catalog import overlay
from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Batch, Code, Location, Problem, Severity
from td_currents_cli.read import sources
from td_currents_cli.validate import ValidateOutcome, ValidateRequest, run
from td_currents_cli.validate.checker import Checker
from td_currents_cli.validate.command import Selection
from td_currents_cli.validate.rules import RULES

NOW = 1_800_000_000
CASES = Path(__file__).parents[2] / "cases" / "bad"
MADE_HERE = {
    Code.UNREADABLE,
    Code.DOCUMENT_TOO_LARGE,
    Code.LEFT_OUT,
    Code.FIELD_GONE,
    Code.TOO_MANY_EVENTS,
    Code.BODY_TOO_LARGE,
    Code.EVENT_TOO_LARGE,
    Code.EVENT_DROPPED,
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
    fields = json.dumps({"app_id": "a", **properties}, separators=(",", ":"))
    head = f'"event_type":"{event_type}","id":"e-{number}","time":1782900000'
    return f'{{{head},"user":{user},"properties":{fields}}}'


def event_of(size: int) -> str:
    """A clean event of this many bytes."""
    return event(app_group_id="x" * (size - len(event(app_group_id=""))))


def batch(*events: str) -> str:
    return '{"events":[' + ",".join(events) + "]}"


@cache
def checker(*, fast: bool = True, own: bool = False) -> Checker:
    """A checker with the catalog, or with the overlay too."""
    known = overlay.overlaid(catalog.load(), OVERLAY, "overlay.json") if own else catalog.load()
    return Checker(known, NOW, fast=fast)


def found(
    text: str, *, fast: bool = True, row: int | None = None, own: bool = False
) -> list[tuple[Code, str, int | None, int | None]]:
    """Code, pointer, line and column of each problem in one payload, or in the cell of a row."""
    checked = list(checker(fast=fast, own=own)(Batch(text.encode(), Location("x", 1, None if row else 1, row))))
    problems = [problem for each in checked for problem in each.problems]
    return [(each.code, each.pointer, each.location.line, each.location.column) for each in problems]


def validate(*paths: Path) -> ValidateOutcome:
    return run(ValidateRequest(sources=sources([*map(str, paths)]), selection=Selection.of((), ()), now=NOW))


def test_every_rule_has_a_case() -> None:
    """A file that is named for it and holds a problem of it, or a test in this module."""
    for code in set(RULES) - MADE_HERE - OF_SEND:
        expected = [json.loads(path.read_text("utf-8")) for path in CASES.glob(f"{code}_*.expected.json")]
        assert code in {problem["code"] for problems in expected for problem in problems}, code
    assert set(RULES) == set(Code)


def test_each_problem_says_what_to_do(tmp_path: Path) -> None:
    """In all forms: where it has no hint of its own, the fix of its rule stands in for it."""
    path = tmp_path / "bad.json"
    path.write_text('{"events": [{"event_type": "users.behaviors.Uninstall", "time": 1782900000000}, 7]}')
    hints = {problem.code: problem.hint for problem in validate(path).problems.kept}
    assert hints[Code.EVENT_NOT_OBJECT] == RULES[Code.EVENT_NOT_OBJECT].fix
    assert hints[Code.TIME_IN_MILLISECONDS] == "Divide it by 1,000."
    for unit, digits, divisor in (("microseconds", 16, "1,000,000"), ("nanoseconds", 19, "1,000,000,000")):
        path.write_text(batch(event()).replace("1782900000", "1782900000123456789"[:digits]))
        (problem,) = validate(path).problems.kept
        assert (problem.message, problem.hint) == (f"`time` is in {unit}, not in seconds", f"Divide it by {divisor}.")
    assert all(hints.values())


def test_a_torn_file_is_unreadable_and_what_came_before_is_checked(tmp_path: Path) -> None:
    """TDC001, at the place the bytes end at, outweighs the other problems."""
    lines = (batch(event(0, app_id=7)) + "\n").encode() * 2
    torn = gzip.compress(lines, mtime=0)[:-9]
    (tmp_path / "x.jsonl.gz").write_bytes(torn)
    outcome = validate(tmp_path / "x.jsonl.gz")
    assert outcome.problems.kept[-1].code is Code.UNREADABLE
    assert outcome.by_code[Code.FIELD_TYPE] >= 1
    assert outcome.exit_code is ExitCode.IO


def test_what_is_not_read_is_reported(tmp_path: Path) -> None:
    """A document that is too large ends its source, and outweighs other problems; files that are left out do not."""
    (tmp_path / "a.jsonl").write_text(batch(event(0)) + "\n" + batch(event_of(5000)) + "\n" + batch(event(1)) + "\n")
    (tmp_path / "notes.txt").write_text("call back")
    found = sources([str(tmp_path)], max_document_size=4000)
    outcome = run(ValidateRequest(sources=found, selection=Selection.of((), ()), now=NOW))
    assert [problem.code for problem in outcome.problems.kept] == [Code.LEFT_OUT, Code.DOCUMENT_TOO_LARGE]
    assert (outcome.problems.kept[1].location.line, outcome.balance.events_read) == (2, 1)
    assert (outcome.exit_code, outcome.files) == (ExitCode.IO, 1)


@both_ways
def test_a_batch_has_up_to_a_hundred_events(*, fast: bool) -> None:
    """TDC302 is about the array; ingested rows have arrived, whatever they hold."""
    hundred = [event(number) for number in range(100)]
    more = batch(*hundred, event(100))
    assert found(batch(*hundred), fast=fast) == []
    assert found(more, fast=fast) == [(Code.TOO_MANY_EVENTS, "/events", 1, 11)]
    assert found(more, fast=fast, row=1) == []
    assert found(more[len('{"events":') : -1], fast=fast, row=1) == []


@both_ways
def test_a_body_has_up_to_so_many_bytes(*, fast: bool) -> None:
    """TDC303 begins one byte above the limit, and so does TDC304 for an event that cannot be sent even by itself."""
    frame = len(batch(""))
    half = event_of(MAX_BYTES // 2)
    rest = MAX_BYTES - len(batch(half, ""))
    assert found(batch(half, event_of(rest)), fast=fast) == []
    assert found(batch(half, event_of(rest + 1)), fast=fast) == [(Code.BODY_TOO_LARGE, "", 1, 1)]
    dropped = (Code.EVENT_DROPPED, "/events/0", 1, 12)
    assert found(batch(event_of(MAX_BYTES - frame)), fast=fast) == [dropped]
    assert found(batch(event_of(MAX_BYTES - frame + 1)), fast=fast) == [
        (Code.BODY_TOO_LARGE, "", 1, 1),
        (Code.EVENT_TOO_LARGE, "/events/0", 1, 12),
        dropped,
    ]


@both_ways
def test_an_event_has_up_to_900_kb(*, fast: bool) -> None:
    """TDC306 is about what Braze sends: a large event by itself or among others, but no large payload."""
    assert found(batch(event_of(MAX_EVENT_BYTES)), fast=fast) == []
    large = event_of(MAX_EVENT_BYTES + 1)
    assert found(batch(event(1), large), fast=fast) == [(Code.EVENT_DROPPED, "/events/1", 1, 13 + len(event(1)))]
    assert checker(fast=fast).errors_of(large.encode()) == []
    assert found(batch(*[event_of(MAX_EVENT_BYTES // 8).replace("e-0", f"e-{n}") for n in range(9)]), fast=fast) == []


@both_ways
def test_what_has_arrived_was_not_too_large(*, fast: bool) -> None:
    """No limit of requests concerns an ingested row."""
    assert found(f"[{event_of(MAX_BYTES)}]", fast=fast, row=1) == []


@both_ways
@pytest.mark.parametrize(
    ("properties", "code", "at"),
    [
        ('"price":9223372036854775807', None, ""),
        ('"price":9223372036854775808', Code.NUMBER_TOO_LARGE, "9223372036854775808"),
        ('"price":-9223372036854775809', Code.NUMBER_TOO_LARGE, "-9223372036854775809"),
        ('"price":1e19', None, ""),
        ('"price":1E+400', Code.NUMBER_TOO_LARGE, "1E+400"),
        ('"price":1,"price":2', Code.DUPLICATE_KEY, '"price":2'),
        ('"price":7,"price":"","price":1', Code.DUPLICATE_KEY, '"price":""'),
        (r'"price":1,"app_id":7,"\u0061pp_id":"\u0022\u0022"', Code.DUPLICATE_KEY, r'"\u0061pp_id"'),
        (r'"price":1,"app_id":"","app_id":"\u0022\\\"\u0022\u0022\u0022"', Code.DUPLICATE_KEY, r'"app_id":"\u'),
        (r'"price":1,"app_id":"\u0022,\u0022app_id\u0022:\u0022"', None, ""),
        (r'"price":1,"app_id":"\\\\\"\\"', None, ""),
        (r'"price":1,"app_id":"","app_id":"\u003a"', Code.DUPLICATE_KEY, r'"app_id":"\u'),
        (r'"price":1,"app_id":"","app_id":"\u003A"', Code.DUPLICATE_KEY, r'"app_id":"\u'),
        (r'"price":1,"app_id":":\u003a:"', None, ""),
    ],
)
def test_what_a_decoder_does_not_notice(properties: str, code: Code | None, at: str, *, fast: bool) -> None:
    """Large integers where a float may stand, and repeated names behind texts that gain quotes or colons."""
    text = event(0, "users.behaviors.Purchase", product_id="p", currency="EUR").replace('"app_id":"a"', properties)
    names = [(code, 12 + text.index(at))] if code else []
    assert [(code, column) for code, _, _, column in found(batch(text), fast=fast)][: len(names) or None] == names


@both_ways
def test_a_field_that_is_gone(*, fast: bool) -> None:
    """TDC208 at its name, whatever its value; the type without it is clean."""
    gone = event(0, app_group_id=None)
    assert found(batch(gone), fast=fast, own=True) == [
        (Code.FIELD_GONE, "/events/0/properties/app_group_id", 1, 12 + gone.index('"app_group_id"'))
    ]
    assert found(batch(event()), fast=fast, own=True) == []


@both_ways
def test_nobody_misses_an_external_user_id_that_is_not_sent_any_more(*, fast: bool) -> None:
    """TDC301 asks for it only where it is a field of the type."""
    installed = event(0, "users.behaviors.InstallAttribution", source="s").replace(',"external_user_id":"u"', "")
    installed = installed.replace('"app_id":"a",', "")
    assert found(batch(installed), fast=fast) == [
        (Code.NO_EXTERNAL_USER_ID, "/events/0/user", 1, 12 + installed.index('{"user_id"'))
    ]
    assert found(batch(installed), fast=fast, own=True) == []


@both_ways
def test_fields_of_ones_own_may_have_any_name(*, fast: bool) -> None:
    """Also names that no programming language would take."""
    odd = event(0, **{"2nd name": 1}).replace('{"user_id"', '{"__class__":"c","user_id"')
    assert found(batch(odd), fast=fast, own=True) == []
    wrong = odd.replace('"c"', "[]")
    assert found(batch(wrong), fast=fast, own=True) == [
        (Code.FIELD_TYPE, "/events/0/user/__class__", 1, 12 + wrong.index("[]"))
    ]


@both_ways
@pytest.mark.parametrize(
    ("properties", "code", "pointer", "at"),
    [
        ({"name": "cart", "custom_properties": {"sku": "s", "tags": ["t"], "more": 1}}, None, "", ""),
        ({"name": "other"}, None, "", ""),
        ({"name": "cart", "custom_properties": {"sku": 5}}, Code.FIELD_TYPE, "/custom_properties/sku", "5"),
        ({"name": "cart", "custom_properties": {}}, Code.FIELD_MISSING, "/custom_properties", "{}"),
        ({"name": "cart", "custom_properties": {"sku": None}}, Code.FIELD_MISSING, "/custom_properties/sku", "null"),
        ({"name": "cart", "custom_properties": None}, Code.FIELD_MISSING, "/custom_properties", "null"),
        ({"name": "cart"}, Code.FIELD_MISSING, "", '{"app_id"'),
        (
            {"name": "cart", "custom_properties": {"sku": "s", "tags": ["t", 5]}},
            Code.FIELD_TYPE,
            "/custom_properties/tags/1",
            "5",
        ),
    ],
)
def test_custom_events_that_are_described(
    properties: dict[str, object], code: Code | None, pointer: str, at: str, *, fast: bool
) -> None:
    """What a catalog of one's own says of them holds, each problem at the value's own place."""
    text = event(0, "users.behaviors.CustomEvent", **properties)
    place = (
        code,
        f"/events/0/properties{pointer}",
        1,
        12 + text.index("properties") + text[text.index("properties") :].index(at),
    )
    assert found(batch(text), fast=fast, own=True) == ([place] if code else [])


@both_ways
def test_purchases_that_are_described(*, fast: bool) -> None:
    """As custom events, for all purchases alike."""
    head = {"product_id": "p", "currency": "EUR", "price": 1}
    good = event(0, "users.behaviors.Purchase", **head, purchase_properties={"color": "red", "size": "S"})
    assert found(batch(good), fast=fast, own=True) == []
    codes = [code for code, *_ in found(batch(good.replace('"S"', '"XL"')), fast=fast, own=True)]
    assert codes == [Code.VALUE_NOT_IN_SET]
    codes = [code for code, *_ in found(batch(good.replace('"color"', '"colour"')), fast=fast, own=True)]
    assert codes == [Code.FIELD_MISSING]


@both_ways
@pytest.mark.parametrize("count", [3, 60])
def test_many_problems_of_one_event_have_their_places(count: int, *, fast: bool) -> None:
    """However many there are: a few are searched for one by one, many are found in one pass."""
    names = [f"ap_id_{number}_" for number in range(count)]
    text = batch(event(0, **dict.fromkeys(names, 1)))
    places = [(f"/events/0/properties/{name}", text.index(f'"{name}"') + 1) for name in names]
    assert [(pointer, column) for _code, pointer, _line, column in found(text, fast=fast)] == places


def test_the_errors_of_one_event() -> None:
    """What `send` asks before it sends: errors, not warnings, with places counted from the event."""
    errors_of, kept = checker().errors_of, checker().fields_if_valid
    assert errors_of(event().encode()) == []
    assert errors_of(event(0, another=1).encode()) == [], "an info is no error"
    (error,) = errors_of(event(0, app_id=7).encode())
    place = (error.code, error.pointer, error.location.line, error.location.column, error.event_id)
    assert place == (Code.FIELD_TYPE, "/properties/app_id", 1, event(0, app_id=7).index("7}") + 1, "e-0")
    assert [each.code for each in errors_of(event_of(MAX_BYTES).encode())] == [Code.EVENT_TOO_LARGE]
    assert [each.code for each in errors_of(b"7")] == [Code.EVENT_NOT_OBJECT]
    assert next(each.code for each in errors_of(b'{"events":[]}')) is Code.EVENT_TYPE_MISSING
    assert [each.code for each in errors_of(b"[" * 900 + b"]" * 900)] == [Code.TOO_DEEP]
    assert kept(batch(event()).encode()) is not None
    assert kept(batch(event(0, app_id=7)).encode()) is None


def test_how_deep_is_too_deep_does_not_depend_on_who_calls() -> None:
    """The limit is a number, not the state of a parser's stack: the same at any depth of calls, fast or not."""

    def at_depth(calls: int, text: str) -> list[Code]:
        return at_depth(calls - 1, text) if calls else [code for code, *_ in found(text)]

    def nested(levels: int) -> str:
        # Brackets in texts are none; what is behind them is counted.
        text = event(0, "users.behaviors.CustomEvent", name='"[{', custom_properties={"a": 0})
        return batch(text.replace('"a":0', '"a":' + "[" * (levels - 5) + "]" * (levels - 5)))

    for levels in (499, 500):
        assert {tuple(at_depth(calls, nested(levels))) for calls in (0, 100, 300)} == {()}
    for levels in (501, 900, 950, 990, 1010, 5000):
        assert {tuple(at_depth(calls, nested(levels))) for calls in (0, 100, 300)} == {(Code.TOO_DEEP,)}


def test_problems_of_a_rule_have_its_severity() -> None:
    """Also those of the reading layers, which do not know the rules."""
    paths = [path for path in CASES.iterdir() if not path.name.endswith(".expected.json")]
    kept = validate(*paths).problems.kept
    assert len(kept) > len(paths) // 2
    for problem in kept:
        assert problem.severity is RULES[problem.code].severity, problem


def test_excerpts_show_the_line_of_the_source() -> None:
    """The caret is under the place, what stands before the event on its line is there, and ends are marked as such."""
    text = '{"events":[\n    ' + event(0, app_id=7) + "]}"
    (problem,) = next(iter(checker()(Batch(text.encode(), Location("x", 1, 1))))).problems
    assert isinstance(problem, Problem)
    assert problem.excerpt is not None
    assert problem.excerpt.text[problem.excerpt.caret :] == "7}}]}"
    assert problem.excerpt.cut_before
    assert not problem.excerpt.cut_after
    short = '{"a":1,\n  "events":[7]}'
    (_, problem) = next(iter(checker()(Batch(short.encode(), Location("x", 1, 1))))).problems
    assert problem.severity is Severity.ERROR
    assert problem.excerpt is not None
    assert problem.excerpt.text == '  "events":[7]}'
    assert (problem.excerpt.caret, problem.excerpt.cut_before, problem.excerpt.cut_after) == (12, False, False)
