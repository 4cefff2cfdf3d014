"""No rule is ignored by the careful check, the fast passes of `validate` and `send`, or the JSON Schema."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from td_currents_cli import catalog
from td_currents_cli.braze import EVENT_FIELDS, MAX_BYTES, MAX_EVENT_BYTES
from td_currents_cli.catalog import Catalog, overlay
from td_currents_cli.catalog.constraints import FieldLimit, Guard
from td_currents_cli.catalog.json_schema import SchemaForm, json_schema
from td_currents_cli.events.json import Elements, elements_of
from td_currents_cli.model import Batch, Code, Location, Severity
from td_currents_cli.read import records, sources
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.payload import Payload, PayloadLimits
from td_currents_cli.send.prefilter import SendFilter
from td_currents_cli.validate.checker import Checker
from td_currents_cli.validate.fast_path import FastCheck
from td_currents_cli.validate.rules import RULES, Rule, RuleScope

NOW = 1_800_000_000
CASES = Path(__file__).parents[2] / "cases" / "bad"
RELEASE_12 = CASES.with_name("good") / "currents-release-12.json"
OVERLAY = b'{"event_types": {"users.behaviors.Uninstall": {"fields": {"app_group_id": {"until": "9"}}}}}'
USER = {"user_id": "b", "external_user_id": "u"}
EVENT = {"event_type": "users.behaviors.Uninstall", "id": "e-1", "time": 1_782_900_000, "user": USER}
EVENT["properties"] = {"app_id": "a"}


@cache
def known() -> Catalog:
    """The catalog, with a field that is no longer sent."""
    return overlay.overlaid(catalog.load(), OVERLAY, "overlay.json")


def payload(*events: dict[str, Any]) -> bytes:
    return json.dumps({"events": events}, separators=(",", ":")).encode()


def event_of(size: int) -> dict[str, Any]:
    event = EVENT | {"properties": {"app_id": ""}}
    event["properties"] = {"app_id": "x" * (size - len(json.dumps(event, separators=(",", ":"))))}
    return event


MADE = {
    Code.TOO_MANY_EVENTS: payload(*[EVENT] * 101),
    Code.BODY_TOO_LARGE: payload(*[event_of(MAX_BYTES // 2)] * 2),
    Code.EVENT_TOO_LARGE: payload(event_of(MAX_BYTES)),
    Code.EVENT_DROPPED: payload(event_of(MAX_EVENT_BYTES + 1)),
    Code.FIELD_GONE: payload(EVENT | {"properties": {"app_id": "a", "app_group_id": "g"}}),
}
"""Examples that a case file cannot hold well."""


def examples(code: Code) -> Iterator[Batch]:
    """Batches that break a rule, of those that reach a fast pass."""
    if code in MADE:
        yield Batch(MADE[code], Location("made", 1, 1))
    paths = [path for path in sorted(CASES.glob(f"{code}_*")) if not path.name.endswith(".expected.json")]
    for record in records(sources([*map(str, paths)])) if paths else ():
        if isinstance(record, Batch) and code in codes_of(record):
            yield record


def codes_of(batch: Batch, *, fast: bool = False) -> set[Code]:
    return {problem.code for each in Checker(known(), NOW, fast=fast)(batch) for problem in each.problems}


def made_fast_check(*, only_errors: bool) -> FastCheck:
    rules = [rule for rule in RULES.values() if rule.severity is Severity.ERROR or not only_errors]
    return FastCheck(known(), rules, NOW)


fast_check = cache(made_fast_check)


def passes(check: FastCheck, batch: Batch) -> bool:
    is_payload = batch.location.row is None
    return (check.events_of_payload if is_payload else check.events_of_cell)(batch.data) is not None


in_batches = [code for code, rule in RULES.items() if rule.scope in {RuleScope.DOCUMENT, RuleScope.EVENT}]


@pytest.mark.parametrize("code", in_batches)
def test_the_fast_passes_refuse_what_breaks_a_rule(code: Code) -> None:
    """That of `send` only if the rule is an error."""
    rule, batches = RULES[code], list(examples(code))
    assert batches, "an example in tests/cases/bad, or one made here"
    for batch in batches:
        assert not passes(fast_check(only_errors=False), batch)
        assert code in codes_of(batch, fast=True)
        if rule.severity is Severity.ERROR:
            assert not passes(fast_check(only_errors=True), batch)
            found = elements_of(batch) if rule.scope is RuleScope.EVENT else None
            if isinstance(found, Elements):
                checker = Checker(known(), NOW)
                assert code in {problem.code for text in found.texts for problem in checker.errors_of(text)}


def made_schema(form: SchemaForm) -> Any:
    return jsonschema_rs.validator_for(json_schema(known(), tuple(known().events.values()), form, RULES.values()))


schema = cache(made_schema)


def is_in_schema(rule: Rule) -> bool:
    """Whether JSON Schema can express a rule."""
    if rule.fast is not None:
        return rule.fast.is_strict or rule.fast in {Guard.JSON, Guard.REQUIRED_FIELDS, Guard.FIELD_TYPES}
    return bool(rule.limits) and all(limit.max_ahead is None for limit in rule.limits)


@pytest.mark.parametrize("code", [code for code in in_batches if is_in_schema(RULES[code])])
def test_the_schema_refuses_what_it_can_express(code: Code) -> None:
    rule = RULES[code]
    forms = [SchemaForm.STRICT] if rule.fast is not None and rule.fast.is_strict else []
    forms = [*SchemaForm] if rule.severity is Severity.ERROR else forms
    documents = list(decoded_examples(code))
    assert documents or code in {Code.NOT_JSON, Code.NOT_A_NUMBER, Code.CUT_OFF}, "only JSON can break it"
    for form in forms:
        assert [document for document in documents if schema(form).is_valid(document)] == []


def decoded_examples(code: Code) -> Iterator[Any]:
    """Those that are JSON. To a schema 1.0 is an integer, so that each float gets a fraction."""
    for batch in examples(code):
        try:
            document = json.loads(batch.data, parse_float=lambda _: 0.5, parse_constant=int)
        except ValueError:
            continue
        yield document if batch.location.row is None else {"events": document}


@pytest.mark.parametrize("text", [payload(EVENT), RELEASE_12.read_bytes()], ids=["usual", "release 12"])
def test_what_breaks_no_rule_passes_everywhere(text: bytes) -> None:
    """Otherwise the tests above would prove nothing. Also nulls in an array, and types without published fields."""
    batch = Batch(text, Location("made", 1, 1))
    assert all(passes(fast_check(only_errors=only_errors), batch) for only_errors in (False, True))
    assert all(schema(form).is_valid(json.loads(batch.data)) for form in SchemaForm)


def purchase(user_id: str, price: str, custom: str) -> Batch:
    """A payload with a duplicate `user_id`, and numbers that get longer when they are written again."""
    user = f'{{"user_id":"{user_id}","user_id":"b","external_user_id":"u"}}'
    properties = (
        f'{{"app_id":"a","product_id":"p","price":{price},"currency":"USD","purchase_properties":{{{custom}}}}}'
    )
    head = '"event_type":"users.behaviors.Purchase","id":"e-1","time":1782900000'
    text = f'{{"events":[{{{head},"user":{user},"properties":{properties}}}]}}'
    return Batch(text.encode(), Location("made", 1, 1))


@pytest.mark.parametrize("growing", [[f"1e{power}" for power in range(1, 16)], [str(10**n) for n in range(15)]])
def test_a_duplicate_key_shows_next_to_numbers_that_get_longer(growing: list[str]) -> None:
    """Whatever the lengths are: the text and what is written again may have the same."""
    check = fast_check(only_errors=False)
    for number in growing:
        for length in range(1, 10):
            for batch in (purchase("b" * length, number, ""), purchase("b" * length, "1.5", f'"a":{number}')):
                assert not passes(check, batch)
                single = batch.data.replace(b'"user_id":"%b",' % (b"b" * length), b"", 1)
                assert passes(check, Batch(single, batch.location)), single


@pytest.mark.parametrize(
    "custom",
    ['"a":1,"a":1', '"a":1,"\\u0061":1', '"a":{"b":1,"b":1}', '"a":1,"a":":"', '"a":1,"a":"\\u003a"', '"a":1e99,"a":1'],
)
def test_a_duplicate_key_in_custom_data_shows(custom: str) -> None:
    unique = purchase("x", "1", custom).data.replace(b'"user_id":"x",', b"")
    assert not passes(fast_check(only_errors=False), Batch(unique, Location("made", 1, 1)))


# A rule that is added or made stricter: at its declaration, and nowhere else.

LONG_ID = FieldLimit(field="id", max_length=64, message="`id` is longer than 64 characters")
LONG = EVENT | {"id": "x" * 65}


def replaced(monkeypatch: pytest.MonkeyPatch, code: Code, **changes: Any) -> None:
    monkeypatch.setitem(RULES, code, replace(RULES[code], **changes))


def test_a_limit_is_obeyed_by_all_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    long, short = (Batch(payload(event), Location("made", 1, 1)) for event in (LONG, LONG | {"id": "x" * 64}))
    assert codes_of(long, fast=True) == set()
    replaced(monkeypatch, Code.ID_INVALID, limits=(*RULES[Code.ID_INVALID].limits, LONG_ID))
    for batch, codes, sent in ((long, {Code.ID_INVALID}, DeadLetter), (short, set[Code](), Payload)):
        assert codes_of(batch, fast=True) == codes_of(batch) == codes
        # What `send` makes of it.
        plan = list(Planner(PayloadLimits(), SendFilter(check=Checker(known(), NOW))).plan([batch]))
        assert [type(each) for each in plan] == [sent]
        valid = {made_schema(form).is_valid(json.loads(batch.data)) for form in SchemaForm}
        assert valid == {passes(made_fast_check(only_errors=True), batch)} == {not codes}


def test_a_rule_that_does_not_say_how_turns_the_fast_pass_off(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = Batch(payload(EVENT), Location("made", 1, 1))
    replaced(monkeypatch, Code.COLUMN_NAME, fast=None)
    assert not passes(made_fast_check(only_errors=False), clean)
    assert passes(made_fast_check(only_errors=True), clean), "it is not an error"
    replaced(monkeypatch, Code.FIELD_TYPE, fast=None)
    assert not passes(made_fast_check(only_errors=True), clean)
    assert codes_of(clean, fast=True) == set()


@pytest.mark.parametrize("code", [code for code in in_batches if RULES[code].severity is not Severity.ERROR])
def test_a_rule_that_becomes_an_error_is_obeyed_by_send_and_schema(monkeypatch: pytest.MonkeyPatch, code: Code) -> None:
    batches = list(examples(code))
    replaced(monkeypatch, code, severity=Severity.ERROR)
    for batch in batches:
        assert not passes(made_fast_check(only_errors=True), batch)
    if is_in_schema(RULES[code]) and RULES[code].fast is not Guard.JSON:
        tolerant = made_schema(SchemaForm.TOLERANT)
        assert [document for document in decoded_examples(code) if tolerant.is_valid(document)] == []


@pytest.mark.parametrize("limits", [{"field": "user", "max_length": 3}, {"field": "id", "minimum": 3}])
def test_a_limit_that_would_be_ignored_cannot_be_declared(limits: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        FieldLimit(message="", **limits)


def test_limits_and_guards_are_all_in_use() -> None:
    """Each of the five fields has its limits, and no guard is without a rule."""
    assert {limit.field for rule in RULES.values() for limit in rule.limits} == set(EVENT_FIELDS)
    assert {rule.fast for rule in RULES.values()} >= set(Guard)
    assert all(RULES[code].limits or RULES[code].fast for code in in_batches)
