"""Laws of `tdcur validate`: the fast way finds what the slow way finds, in any number of processes, at its place."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from td_currents_cli import catalog
from td_currents_cli.catalog import Catalog, EventType, Field, FieldType, Where, overlay
from td_currents_cli.errors import ExitCode
from td_currents_cli.events.decode import split
from td_currents_cli.model import Batch, Code, Location, Severity
from td_currents_cli.parallel import map as parallel_map
from td_currents_cli.parallel import splits
from td_currents_cli.parallel.pool import ordered_map
from td_currents_cli.read import sources
from td_currents_cli.send.prefilter import journal_fields
from td_currents_cli.validate import ValidateOutcome, ValidateRequest, run
from td_currents_cli.validate.baseline import problem_kind
from td_currents_cli.validate.checker import Checker, CheckResult
from td_currents_cli.validate.command import Selection
from td_currents_cli.validate.duplicate_ids import DuplicateIds
from td_currents_cli.validate.fast_path import FastCheck
from td_currents_cli.validate.rules import RULES

law = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
few = settings(law, max_examples=10)
randoms = st.randoms(use_true_random=True)

NOW = 1_800_000_000
OVERLAY = b"""{
  "event_types": {
    "users.messages.email.Open": {"fields": {
      "reading seconds": {"type": "float", "required": true}, "class": {"type": "string", "enum": ["a", "b"]},
      "__class__": {"in": "user", "type": "array<string>"}, "external_user_id": {"enum": ["a", "b"]}
    }},
    "users.behaviors.Uninstall": {"fields": {"external_user_id": {"until": "9"}, "app_group_id": {"until": "9"}}},
    "my.Type": {"description": "Mine", "fields": {"data": {"type": "object"}, "card": {"in": "user", "type": "string"}}}
  },
  "custom_events": {"a": {"sku": {"type": "string", "required": true}, "tags": {"type": "array<string>"}}},
  "purchase_properties": {"size": {"type": "string", "enum": ["a", "M"], "required": true}}
}"""
FAVOURITES = (
    *("users.messages.email.Open", "users.behaviors.CustomEvent", "users.behaviors.Purchase"),
    *("users.behaviors.Uninstall", "my.Type", "agentconsole.ToolInvocation", "users.RandomBucketNumberUpdate"),
    *("users.messages.landingpage.Click", "users.messages.landingpage.Impression", "users.messages.sms.InboundReceive"),
)

NUMBERS = (
    *("0", "-0", "-0.0", "1.0", "1e3", "-1", "1.5", "1e308", "1e309", "-1e400", "1e-400", "0e400"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"),
    *("18446744073709551615", "18446744073709551616", "4611686018427387904", "12345678901234567890.5"),
    *("999999999999999999", "1" * 400, "1" * 4301, "1293839999", "1800086401", "100000000000"),
)
TEXTS = (
    *('""', '"a"', '"é"', r'"\u00e9"', r'"\u0022"', r'"\""', r'"\\\""', r'"\\u0022"', r'"\u005c"', r'"\u005c\u0022"'),
    *(r'"\ud800"', r'"\udc00"', r'"\ud83d\ude00"', '"😀"', '"\u2028"', r'"\u0000"', '"}],[{"', '"9223372036854775808"'),
    *(r'"\u0022,\u0022a\u0022:\u0022b"', r'"\",\"a\":\"b"', '"events"', '"Subscribed"', '"M"'),
)
HIDING = (
    "1",
    "1e9",
    "1e13",
    r'"\u0022\u0022"',
    r'"\u0022\u0022\u0022\u0022"',
    r'"\\\u0022\u0022"',
    r'"\u003a"',
    r'"\u003A"',
    '":"',
)
"""Values that bring, when they are written again, as many bytes, quotes or colons as a repeated field loses."""

NAMES = (
    *("a", "A", "1a", "a b", "é", "", '"', "\\", "/", "~", "\ud800", "0", "x" * 128, "x" * 129, "id", "time", "user"),
    *("properties", "event_type", "events", "name", "external_user_id", "app_id", "class", "__class__", "card", "size"),
)
SPACES = ("", "", "", " ", "\n  ", "\r\n\t")

Node = Any
"""JSON to be: the text of a scalar, or a pair of a kind (`"array"`, `"object"`) and its elements or fields."""


@cache
def checkers(own: bool) -> tuple[Catalog, Checker, Checker]:
    """A catalog, with or without an overlay, and the fast and the slow checker with it."""
    known = overlay.overlaid(catalog.load(), OVERLAY, "overlay.json") if own else catalog.load()
    return known, Checker(known, NOW), Checker(known, NOW, fast=False)


class Writer:
    """Payloads that are clean but for some mutations."""

    def __init__(self, random: Random, known: Catalog) -> None:
        self.random = random
        self.known = known
        self.space = random.choice(SPACES)

    def payload(self, mutations: int, most: int = 5) -> bytes:
        """An object with events, now and then with more events than there may be."""
        events = [self.event() for _ in range(101 if self.random.random() < 0.02 else self.random.randint(0, most))]
        for _ in range(mutations if events else 0):
            self.mutate(self.random.choice(events))
        return self.text(("object", [['"events"', ("array", events)]])).encode()

    def arranged(self) -> Batch:
        """A payload, or an event by itself, several on a line, the cell of a row, and bytes that are neither."""
        data = self.payload(self.random.choice((0, 0, 1, 1, 2, 3)))
        begin, end = data.index(b"["), data.rindex(b"]") + 1
        row = None
        way = self.random.randrange(12)
        if way == 0:
            data = self.text(self.event()).encode()
        elif way == 1:
            data = data[:1] + f"{self.name()}:{self.text(self.value())},".encode() + data[1:]
        elif way == 2:
            data = data[:-1] + f",{self.name()}:{self.text(self.value())}}}".encode()
        elif way == 3:
            data = data[:begin] + self.text(self.value()).encode() + data[end:]
        elif way == 4:
            data += self.payload(1)
        elif way in {5, 6, 7}:
            row, data = 1, data[begin:end] if way < 7 else data
        elif way == 8:
            at = self.random.randrange(len(data))
            data = data[:at] + bytes([self.random.choice(b'{}[],:"\\0-.eE \n\xff\xc3\x00')]) * 2 + data[at + 1 :]
        elif way == 9:
            data = data[: self.random.randint(1, len(data))].rstrip()
        return Batch(data, Location("x", 3, 7, row, 1000))

    def event(self, event_type: EventType | None = None) -> Node:
        """A clean event of a type that is in the catalog."""
        if event_type is None:
            name = self.random.choice(FAVOURITES if self.random.random() < 0.6 else tuple(self.known.events))
            event_type = self.known.get(name) or next(iter(self.known.events.values()))
        envelope = [
            ['"event_type"', json.dumps(event_type.name)],
            ['"id"', f'"{self.random.getrandbits(64):x}"'],
            ['"time"', "1790000000"],
            *([f'"{place}"', self.fields(event_type, place)] for place in (Where.USER, Where.PROPERTIES)),
        ]
        return "object", envelope

    def fields(self, event_type: EventType, place: Where) -> Node:
        """What `user` or `properties` of an event has to hold, and some of what it may hold."""
        fields = []
        for field in event_type.fields:
            often = 1.0 if field.expected or "external" in field.name else 0.3
            if field.where is place and self.random.random() < (0.02 if field.until else often):
                fields.append([json.dumps(field.name), self.value_of(field)])
        return "object", fields

    def value_of(self, field: Field) -> Node:
        """A value as the catalog has it."""
        if field.enum:
            return json.dumps(self.random.choice(field.enum))
        if field.type is FieldType.STRINGS:
            return "array", ['"a"'] * self.random.randrange(3)
        if field.type is FieldType.STRINGS_AND_NULLS:
            return "array", ['"a"', "null"] * self.random.randrange(3)
        if field.type is FieldType.OBJECT:
            nested = ("object", [['"b"', ("array", ["1", ("object", [['"Any Name"', "1.5"]])])]])
            return "object", [['"size"', '"M"'], ['"sku"', '"s"'], ['"nested"', nested]]
        usual = {FieldType.FLOAT: "1.5", FieldType.BOOLEAN: "true", FieldType.INT: "7", FieldType.LONG: "-7"}
        return usual.get(field.type, '"a"')

    def value(self, level: int = 0) -> Node:
        kind = self.random.randrange(8 if level < 3 else 4)
        if kind < 4:
            return self.random.choice((NUMBERS, TEXTS, ("null", "true"), TEXTS)[kind])
        if kind == 4 and self.random.random() < 0.2:
            depth = self.random.choice((7, 8, 9, 10, 495, 496, 497, 501, 900, 1100))
            return "[" * depth + "]" * depth if self.random.random() < 0.5 else '{"a":' * depth + "1" + "}" * depth
        if kind < 6:
            return "array", [self.value(level + 1) for _ in range(self.random.randrange(3))]
        return "object", [[self.name(), self.value(level + 1)] for _ in range(self.random.randrange(3))]

    def name(self, name: str | None = None) -> str:
        """The text of a name, some of its characters as escapes."""
        wanted = self.random.choice(NAMES) if name is None else name
        escaped = self.random.random() < 0.2
        return '"' + "".join(f"\\u{ord(each):04x}" if escaped else json.dumps(each)[1:-1] for each in wanted) + '"'

    def mutate(self, event: Node) -> None:
        """Drop, change, misplace, repeat or add something anywhere in an event."""
        places = list(self.inside(event))
        kind, items = self.random.choice(places)
        at = self.random.randrange(len(items)) if items else 0
        if not items or self.random.random() < 0.2:
            items.insert(at, [self.name(), self.value()] if kind == "object" else self.value())
        elif kind == "array":
            items[at] = self.value()
        else:
            field = items[at]
            what = self.random.randrange(8)
            if what == 0:
                del items[at]
            elif what < 4:
                field[1] = self.random.choice(("null", self.random.choice(NUMBERS), self.value()))
            elif what == 4:
                del items[at]
                # Not into itself: a value that was repeated would have no end.
                own = {id(each) for _, each in self.inside(field[1])}
                objects = [fields for kind, fields in places if kind == "object" and id(fields) not in own]
                self.random.choice(objects).append(field)
            else:
                spelled = self.name(json.loads(field[0])) if field[0].isascii() else field[0]
                value = self.random.choice((field[1], self.random.choice(HIDING), self.value()))
                items.insert(self.random.randint(0, len(items)), [spelled, value])
                if what == 5:
                    items.remove(field)

    def inside(self, node: Node) -> Iterator[tuple[str, list[Any]]]:
        """All arrays and objects in an event, itself among them."""
        if not isinstance(node, str):
            kind, items = node
            yield kind, items
            for item in items:
                yield from self.inside(item[1] if kind == "object" else item)

    def text(self, node: Node) -> str:
        if isinstance(node, str):
            return node
        kind, items = node
        space = self.space
        if kind == "array":
            return f"[{space}{f'{space},{space}'.join(map(self.text, items))}{space}]"
        fields = [f"{name}{space}:{space}{self.text(value)}" for name, value in items]
        return f"{{{space}{f'{space},{space}'.join(fields)}{space}}}"


def found(checks: Iterator[CheckResult]) -> list[object]:
    """All there is to know of some results, in a form that can be compared."""
    return [(each.location, each.events, [*each.ids], each.rejected, [*each.problems]) for each in checks]


@law
@given(randoms, st.booleans())
def test_the_fast_way_finds_what_the_slow_way_finds(random: Random, own: bool) -> None:
    """The same batches, ids, problems, places and excerpts, whatever the payload."""
    known, fast, slow = checkers(own)
    # Hypothesis takes longer over an example than both ways over a batch.
    for _ in range(30):
        batch = Writer(random, known).arranged()
        assert found(fast(batch)) == found(slow(batch)), batch


@settings(law, max_examples=200)
@given(randoms, st.booleans())
def test_what_is_sound_has_no_errors(random: Random, own: bool) -> None:
    """What is sent without a closer look, as a payload or as an event, is what the slow way finds no error in."""
    known, fast, slow = checkers(own)
    batch = Writer(random, known).arranged()
    kept = fast.fields_if_valid(batch.data)
    if kept is not None:
        assert kept == journal_fields(batch.data)
        (checked,) = slow(Batch(batch.data, Location("x", 1, 1)))
        assert all(problem.severity is not Severity.ERROR for problem in checked.problems)
    for event in split(batch).events:
        assert fast.errors_of(bytes(event)) == slow.errors_of(bytes(event))


def test_clean_means_clean() -> None:
    """What the generator of these payloads makes without a mutation is clean, so that the law above says something."""
    for own in (False, True):
        known, fast, slow = checkers(own)
        writer, clean = Writer(Random(1), known), FastCheck(known, RULES.values(), NOW)
        for event_type in known.events.values():
            text = writer.text(("object", [['"events"', ("array", [writer.event(event_type)])]])).encode()
            described = own and event_type.name in {"users.behaviors.CustomEvent", "users.behaviors.Purchase"}
            passes = len(clean.events_of_payload(text) or ()) == 1, fast.fields_if_valid(text) is not None
            assert set(passes) == {event_type.http and not described}, event_type.name
            (checked,) = slow(Batch(text, Location("x", 1, 1)))
            assert bool(checked.problems) is not event_type.http or described


@law
@given(randoms, st.booleans())
def test_a_problem_stands_where_its_pointer_leads(random: Random, own: bool) -> None:
    """At its line and column, in code points, is the value that the pointer leads to, or that value's name."""
    known, fast, _ = checkers(own)
    writer = Writer(random, known)
    text = writer.payload(4).decode()
    (checked,) = fast(Batch(text.encode(), Location("x", 1, 1)))
    if checked.rejected or Code.DUPLICATE_KEY in {problem.code for problem in checked.problems}:
        return  # a pointer cannot tell two fields of the same name apart
    # One that is nested too deeply stands at a bracket within the event that its pointer leads to.
    for problem in (each for each in checked.problems if each.code is not Code.TOO_DEEP):
        line, column = problem.location.line or 0, problem.location.column or 0
        rest = "\n".join(text.split("\n")[line - 1 :])[column - 1 :]
        here = json.JSONDecoder(parse_int=str).raw_decode(rest)[0]
        value: Any = json.loads(text, parse_int=str)
        steps = [step.replace("~1", "/").replace("~0", "~") for step in problem.pointer.split("/")[1:]]
        for step in steps:
            value = value[int(step)] if isinstance(value, list) else value[step]
        assert repr(here) in {repr(value), repr(steps[-1]) if steps else ""}


def validate(paths: Sequence[Path], **options: Any) -> ValidateOutcome:
    every = Selection.of((), ())
    return run(ValidateRequest(sources=sources([*map(str, paths)]), selection=every, now=NOW, **options))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Random], list[Path]]:
    """Makes files with payloads, rows and junk, in which ids come again."""
    folder = tmp_path_factory.mktemp("laws")

    def make(random: Random) -> list[Path]:
        writer = Writer(random, catalog.load())
        payloads = [writer.payload(random.choice((0, 0, 2)), 3) for _ in range(30)]
        lines = [random.choice(payloads) if random.random() < 0.2 else payload for payload in payloads]
        (folder / "a.jsonl").write_bytes(b"\n".join(line.replace(b"\n", b" ").replace(b"\r", b" ") for line in lines))
        rows = [json.dumps({"time": 1, "events": line.decode()}).encode() for line in payloads[:8]]
        (folder / "b.jsonl").write_bytes(b"\n".join([*rows, b'{"events":[NaN]}', b"\xff", b"{}", *lines[5:9]]))
        cells = [line.decode().replace('"', '""') for line in lines[3:9]]
        rows_of_csv = [f'{number},"{cell}"' for number, cell in enumerate(cells)]
        (folder / "c.csv").write_text("\n".join(["time,events", *rows_of_csv]), encoding="utf-8")
        return [folder / "a.jsonl", folder / "c.csv", folder / "b.jsonl"]

    return make


def assert_the_same_in_processes(paths: Sequence[Path], jobs: int) -> None:
    """In the same order, with the same figures."""
    alone, together = validate(paths), validate(paths, jobs=jobs)
    assert alone.problems.kept == together.problems.kept
    assert {**alone.summary(), "seconds": 0} == {**together.summary(), "seconds": 0}


def test_any_number_of_processes_finds_the_same(
    files: Callable[[Random], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process reads, the others check."""
    monkeypatch.setattr(parallel_map, "CHUNK_SIZE", 1000)
    for seed in range(6):
        assert_the_same_in_processes(files(Random(seed)), jobs=2 + seed % 2)


@few
@given(randoms, st.integers(1, 3000))
def test_any_splits_find_the_same(files: Callable[[Random], list[Path]], random: Random, size: int) -> None:
    """Each process reads for itself: wherever the splits of a file end, and where it is read on without them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "MIN_SIZE", 1)
        patch.setattr(splits, "SPLIT_SIZES", (size, size))
        # Another test is about processes: here, this one does it all.
        patch.setattr(
            parallel_map, "ordered_map", lambda make, given, items, *_, **__: ordered_map(make, given, items, 1)
        )
        assert_the_same_in_processes(files(random), jobs=2)


@few
@given(randoms)
def test_a_baseline_accepts_what_it_was_written_from(files: Callable[[Random], list[Path]], random: Random) -> None:
    """All of it, and not one problem more of a kind."""
    paths = files(random)
    baseline = paths[0].with_name("baseline.json")
    before = validate(paths)
    written = validate(paths, write_baseline=baseline)
    assert (written.problems.total, written.exit_code) == (0, ExitCode.OK)
    accepted = validate(paths, baseline=baseline)
    assert (accepted.problems.total, accepted.suppressed) == (0, before.problems.total)
    document = json.loads(baseline.read_bytes())
    entry = random.choice(document["findings"])
    entry["count"] -= 1
    baseline.write_text(json.dumps(document), encoding="utf-8")
    (one,) = validate(paths, baseline=baseline).problems.kept
    assert problem_kind(one) == (entry["code"], entry["event_type"], entry["pointer"])


@law
@given(
    st.lists(st.lists(st.none() | st.text("abc", max_size=3) | st.uuids().map(str), max_size=30), max_size=30),
    st.sampled_from([1, 10, 10_000]),
)
def test_duplicate_ids_are_those_that_a_dict_finds(batches: list[list[str | None]], limit: int) -> None:
    """With the place of the first, in memory and on disk."""
    found, before = DuplicateIds(limit), dict[str, str]()
    for number, ids in enumerate(batches, 1):  # lines begin at 1
        expected: list[tuple[int, str]] = []
        for index, event_id in enumerate(ids):
            place = f"{number // 5}:{number + 1}, event {index}"
            if event_id is not None and before.setdefault(event_id, place) != place:
                expected.append((index, before[event_id]))
        assert found.add(Location(str(number // 5), number + 1), ids) == expected
    found.close()
