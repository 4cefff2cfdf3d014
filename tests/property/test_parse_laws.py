"""Properties of the output of parse, for any events with the structure of Braze."""

import json
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from td_currents_cli.choices import Names, Nested, To
from td_currents_cli.events.decode import split
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.events.flatten import flatten, flatten_batch, flatten_together, named
from td_currents_cli.model import Batch, Location
from td_currents_cli.parallel import splits
from td_currents_cli.parse import ParseRequest, run
from td_currents_cli.read import sources

law = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])

ODD = ['""', '"\\u0000"', '"\\ud800"', '"\u2028😀"', '"a\\tb\\nc\\\\"', '"\\"x,y"', "1e400", "3.140000104904175", "-0"]
values = st.sampled_from([*ODD, "null", "true", "12345678901234567890", "{}", '{"a": [1.0, "é"]}', "[ ]", '"x"'])
IDS = st.integers(0, 5).map(str)
TIMES = IDS | st.sampled_from(["1e999", "1" + "0" * 5000, "2.5", '"2"', "null", "{}"])
USER = ["user_id", "external_user_id", "device_id", "timezone"]
OTHERS = ["campaign_id", "price", "name", "custom_properties", "", "é", "a.b", "user_agent", "events"]
CLASHING = ["user_id", "id", "time", "user", "properties.x", "user.y", "event_type"]


@st.composite
def events(draw: st.DrawFn, names: list[str]) -> str:
    """An event with its fields in any order and spacing."""
    user = draw(st.dictionaries(st.sampled_from(USER), values, max_size=3))
    properties = draw(st.dictionaries(st.sampled_from(names), values, max_size=4))
    space = draw(st.sampled_from(["", "", " ", "\t"]))

    def inside(members: dict[str, str]) -> str:
        pairs = [f"{json.dumps(name, ensure_ascii=False)}:{space}{value}" for name, value in members.items()]
        return "{" + space + f",{space}".join(pairs) + space + "}"

    members = {
        "event_type": draw(st.sampled_from(['"users.behaviors.Purchase"', '"users.messages.email.Open"', '"new"'])),
        "id": f'"{draw(IDS)}"',
        "time": draw(st.sampled_from(["1782900000", '"1782900001"', "17.5"])),
        "user": inside(user),
        "properties": inside(properties),
    }
    missing = draw(st.sampled_from(["", "", "id", "time", "user", "properties"]))
    # Without a type, a bare event is none.
    return inside({name: members[name] for name in draw(st.permutations(list(members))) if name != missing})


def batch(some: list[str], wrapped: bool) -> Batch:
    """The events as one row or payload."""
    text = "[" + ",".join(some) + "]"
    return Batch((f'{{"events":{text}}}' if wrapped else text).encode(), Location("x"))


@law
@given(st.lists(events(OTHERS + CLASHING), max_size=4), st.booleans())
def test_a_batch_is_flattened_as_its_events_are(some: list[str], wrapped: bool) -> None:
    """The fast path and the careful path give the same bytes."""
    exact = split(batch(some, wrapped)).events
    assert [*flatten_batch(batch(some, wrapped)).events] == [flatten(event) for event in exact]


USER_TEXT = '"user_id":"u"'
CUTS = [',"user":{', '},"properties":{', '}},{"event_type":', ',"id":"i"', "}", "{", '"', "]", " ", ":1", '"a":', '"x"']
INSIDES = st.sampled_from(
    [
        *['"user_id":"u"', '"timezone":"é","device_id":null', "", " ", '"campaign":"c"', '"a":{"b":1}', '"user_id":1'],
        *['"us\\u0065r.x":1', '"user.x":1', '"x":"user.y"', '"properties.x":1', '"us\\u0065r_id":1', '"é":"\\"x"'],
        *['"list":[{"a":{"b":1}},{"event_type":"x","id":"y","time":1,"user":{"q":1},"properties":{"a":1}}]'],
        *['"p":1},"properties":{"q":2', '"p":1},"id":{"q":2', '"a":1}}, {"event_type":"b","id":"i","time":1,"user":{'],
        *['"c":[{"d":1', '"e":1}]', '"a":"b', 'c":1', '"a":1}{"b":2', '"a":1},{"b":2', '"user":{},"c":{}'],
    ]
)
GOOD_ENVELOPE = '"t","id":"i","time":1'
ENVELOPES = st.sampled_from(
    [
        *[GOOD_ENVELOPE] * 4,
        *['"t","time":1,"id":"i"', '"t","id":"i","id":"j","time":1', '"\\/","id":"i","time":1', '"t","id":"i"'],
        *['"t","id":{"a":1},"time":1', '"t","id":"i","time":-0', '"t","id":"i","time":1e3', '"t","id":"é","time":0'],
    ]
)


@settings(law, max_examples=150)
@given(
    st.lists(st.tuples(ENVELOPES, INSIDES, INSIDES), min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from(CUTS),
    st.sampled_from(CUTS),
    st.randoms(use_true_random=False),
)
def test_flattening_together_gives_what_flattening_one_by_one_gives(
    events: list[tuple[str, str, str]], wrapped: bool, cut: str, other: str, random: Random
) -> None:
    """For a batch in or near Braze's layout: the same lines and the same problems."""
    texts = [
        f'{{"event_type":{envelope},"user":{{{user}}},"properties":{{{rest}}}}}' for envelope, user, rest in events
    ]
    text = batch(texts, wrapped).data.decode()
    for changed in (text, f" {text}", text.replace(cut, other, 1), _with(text, cut, random)):
        data = Batch(changed.encode(), Location("x"))
        fast, exact = flatten_batch(data), split(data)
        assert [*fast.events] == [flatten(event) for event in exact.events]
        assert fast.problems == exact.problems


@law
@given(st.lists(st.tuples(ENVELOPES, INSIDES, INSIDES), min_size=1, max_size=3), st.booleans())
def test_batches_are_flattened_together_as_each_of_them_is(events: list[tuple[str, str, str]], wrapped: bool) -> None:
    """Or not at all, where one of them is out of the ordinary."""
    texts = [
        f'{{"event_type":{envelope},"user":{{{user}}},"properties":{{{rest}}}}}' for envelope, user, rest in events
    ]
    batches = [batch([text], wrapped) for text in texts]
    lines, exact = flatten_together([each.data for each in batches], is_utf8=True), list(map(split, batches))
    if lines is not None:
        assert [*lines] == [flatten(event) for each in exact for event in each.events]
        assert not any(each.problems for each in exact)


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_batch_on_two_lines_does_not_make_up_for_two_on_one(wrapped: bool) -> None:
    """As many batches as lines are not enough."""
    event = f'{{"event_type":{GOOD_ENVELOPE},"user":{{}},"properties":{{"a":[{{}},[],{{}}]}}}}'
    whole = batch([event, event], wrapped).data
    assert flatten_together([whole, whole], is_utf8=True) is not None
    for end in range(1, len(whole)):
        for several in (whole + whole, whole + b" " + whole):
            assert flatten_together([several, whole[:end], whole[end:]], is_utf8=True) is None
            assert flatten_together([whole[:end], whole[end:], several], is_utf8=True) is None


def _with(text: str, piece: str, random: Random) -> str:
    place = random.randrange(len(text))
    return text[:place] + piece + text[place:]


@pytest.mark.parametrize(
    "layout",
    [
        '{{{envelope},"user":{{{user}}},"properties":{{{properties}}}}}',
        '{{"properties":{{{properties}}},{envelope},"user":{{{user}}}}}',
        '{{ {envelope} , "user" : {{ {user}}}, "properties": {{\t{properties} }} }}',
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_events_with_all_fields_of_braze_are_flattened_together(layout: str, wrapped: bool) -> None:
    """In any order and with any spaces; `user` may be empty, and a value may look like a name."""
    envelope, properties = '"event_type":"a","id":"1","time":2', '"é":"user.x","p":{"user":{"a":1},"n":"\\u00e9"}'
    texts = [
        layout.format(envelope=envelope, user=user, properties=properties) for user in (USER_TEXT, "", f" {USER_TEXT}")
    ]
    lines = flatten_together([batch(texts, wrapped).data], is_utf8=False)
    assert lines is not None
    assert lines.envelopes().decode() == "\n".join([f"{{{envelope}}}"] * 3)
    with_user = f"{{{envelope},{USER_TEXT},{properties}}}\n"
    assert lines.data.decode() == f"{with_user}{{{envelope},{properties}}}\n{with_user}"


def test_json_in_strings_takes_no_longer_for_looking_like_names() -> None:
    """In an event of the largest size: each name in the string was searched to the string's end, which took minutes."""
    text = json.dumps({f"user.name{number}": 1 for number in range(40_000)})
    event = f'{{"event_type":{GOOD_ENVELOPE},"user":{{}},"properties":{{"x":{json.dumps(text)}}}}}'
    lines = flatten_together([batch([event], True).data], is_utf8=True)
    assert lines is not None
    assert json.loads(lines.data)["x"] == text


@law
@given(events(OTHERS))
def test_naming_schemes_convert_into_each_other(event: str) -> None:
    """From any scheme and from the nested form; conversion to the same scheme changes nothing."""
    text = event.encode()
    if not any(f'"{name}"' in event for name in USER):
        # Without one of the user's fields, a flat event does not tell which scheme it is in.
        text = text[:-1] + b',"user":{"user_id":"u"}}'
    forms = {names: named(text, names) for names in Names}
    for before, after in product(Names, Names):
        assert json.loads(named(forms[before], after)) == json.loads(forms[after])
    for names in Names:
        assert named(forms[names], names) == forms[names]


def parsed(folder: Path, text: bytes, **options: Any) -> bytes:
    source, output = folder / "in.jsonl", folder / "out"
    source.write_bytes(text)
    run(ParseRequest(sources=sources([str(source)]), output=output, **options))
    return output.read_bytes()


@law
@given(st.lists(events(OTHERS), min_size=1, max_size=5))
def test_dedupe_is_idempotent(tmp_path_factory: pytest.TempPathFactory, some: list[str]) -> None:
    """A second run changes nothing; of each id, the first event is kept, and every event without an id."""
    folder = tmp_path_factory.getbasetemp()
    text = batch(some, True).data
    lines = parsed(folder, text)
    once = parsed(folder, text, dedupe=True)
    assert parsed(folder, once, dedupe=True) == once
    first: dict[str, bytes] = {}
    for number, line in enumerate(lines.splitlines()):
        event = json.loads(line)
        first.setdefault(event.get("id", f"none {number}"), line)
    assert once.splitlines() == list(first.values())


OPTIONS: list[dict[str, Any]] = [
    {},
    {"dedupe": True},
    {"wanted": Filter(types=TypeGlobs.of(["a"]))},
    {"wanted": Filter(since=3)},
    {"fields": ("user_id", "id")},
    {"dedupe": True, "nested": Nested.JSON},
    {"to": To.CSV},
    {"names": Names.DOTTED},
]


@settings(law, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), IDS, TIMES, st.booleans()), min_size=1, max_size=6),
    st.sampled_from(OPTIONS),
)
def test_the_layout_of_a_batch_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, some: list[tuple[str, str, str, bool]], options: dict[str, Any]
) -> None:
    """Flattening together and one by one gives the same output, with any options."""
    folder = tmp_path_factory.getbasetemp()
    event = '{"event_type":"%s","id":"%s","time":%s,"user":{%s},"properties":{"x":[1]}}'
    texts = [event % (kind, number, time, user * USER_TEXT) for kind, number, time, user in some]
    usual = batch(texts, True)
    changed = usual.data.replace(b'{"events":', b'{"x":0,"events":')
    assert flatten_together([usual.data], is_utf8=True) is not None
    assert flatten_together([changed], is_utf8=True) is None
    assert parsed(folder, usual.data, **options) == parsed(folder, changed, **options)


def expected(value: Any, cell: Any) -> bool:
    """Whether a cell is a JSON value, or its JSON in a column of strings."""
    if isinstance(value, str):
        return bool(cell == value.encode(errors="backslashreplace").decode())
    return bool(cell == value or (isinstance(cell, str) and json.loads(cell) == value))


@law
@given(st.lists(events(OTHERS), min_size=1, max_size=4))
def test_parquet_has_the_values_of_the_events(tmp_path_factory: pytest.TempPathFactory, some: list[str]) -> None:
    """One row per event, in order, all values and no others. Of CSV and TSV, DuckDB says so."""
    folder = tmp_path_factory.getbasetemp()
    text = batch(some, False).data
    flat_events = [json.loads(line) for line in parsed(folder, text).split(b"\n") if line]
    parsed(folder, text, to=To.PARQUET)
    for event, row in zip(flat_events, pyarrow.parquet.read_table(folder / "out").to_pylist(), strict=True):
        assert {name for name in event if event[name] is not None} <= row.keys()
        assert all(expected(event.get(name), cell) for name, cell in row.items())


WORDS = ['"null"', '"\\\\N"', '"True"', '"[1]"', '"{}"', '"{\\n}"', '" "', "false", "1e400", '"007"', '"a\\\\nb"']
any_value = values | st.sampled_from([*WORDS, '"\\udfff\\ud800"', '"\\\\ud800"', '"\\r\\n"', '"\\u0085"'])
ODD_NAMES = ['a"b', "a\nb", "\r", "a,b", "a\tb", "\\", "\\N", "\ud800", "null"]
OF_CONNECTOR = ["properties_price", "properties_x", "user_user_id", "user_timezone", "properties_custom_properties_x"]
MORE = ["is_amp", "duration", "link_id", "properties"]
any_name = st.sampled_from([*OTHERS, *CLASHING, *ODD_NAMES, *USER, *OF_CONNECTOR, *MORE])
fields = st.dictionaries(any_name, any_value, max_size=4)
of_braze = st.dictionaries(st.sampled_from(USER), any_value, max_size=3)


def an_object(inside: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in inside.items()) + "}"


@st.composite
def any_events(draw: st.DrawFn, names: Names) -> str:
    """An event in a batch, with or without what makes it an event of Braze: any object, for the short names."""
    known = {"event_type": '"users.behaviors.Purchase"', "id": '"1"', "time": "17"}
    envelope = {name: value for name, value in known.items() if draw(st.integers(0, 5))}
    of_user, others = (fields, draw(fields)) if names is Names.SHORT else (of_braze, {})
    places = {"user": an_object(draw(of_user)), "properties": an_object(draw(fields))}
    return an_object({**envelope, **others, **{place: places[place] for place in places if draw(st.integers(0, 5))}})


NOT_STRINGS = ("price", "time", "duration", "is_amp")


def may_be_of_others(tsv: bytes) -> bool:
    r"""Whether what others write for null is in a column of numbers or booleans, and no null (`\N`) tells our form.

    It is told by the first rows.
    """
    header, *rows = (line.split("\t") for line in tsv.decode().split("\n")[:100])
    columns = [index for index, name in enumerate(header) if name.endswith(NOT_STRINGS)]
    has_null = any("\\N" in row for row in rows)
    return not has_null and any(row[index] in {"", "null"} for row in rows if len(row) > 1 for index in columns)


@pytest.mark.parametrize("names", Names)
@pytest.mark.parametrize("to", [To.JSONL, To.CSV, To.TSV])
@law
@given(st.data(), st.sampled_from([0, 0, 0, 120]))
def test_output_of_parse_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, to: To, names: Names, data: st.DataObject, more: int
) -> None:
    """In every format: parsed again, it is the same byte for byte, with or without nulls among the first rows.

    Except for TSV that other tools write, too, in another meaning: see `may_be_of_others`.
    """
    folder = tmp_path_factory.getbasetemp()
    some = data.draw(st.lists(any_events(names), min_size=1, max_size=4))
    once = parsed(folder, batch([some[0]] * more + some, True).data, to=to, names=names)
    assume(to is not To.TSV or not may_be_of_others(once))
    assert parsed(folder, once, to=to, names=names) == once


STRINGS = ["null", "", "\\N", "true", "1", "\\ud800", "{", '{"a":1}', "a\tb\r\n", '"', "\\n", ",", " x "]
LONE = {"campaign_id": "\ud800é", "\udfff": ""}


@st.composite
def typed_properties(draw: st.DrawFn) -> dict[str, Any]:
    """Properties with the types of the catalog, and unknown ones that are strings."""
    names = ["campaign_id", *(name for name in ODD_NAMES if name != "\ud800")]
    strings = draw(st.dictionaries(st.sampled_from(names), st.sampled_from(STRINGS), max_size=4))
    price = draw(st.sampled_from([1, 1.5, None]))
    objects = draw(st.sampled_from([{"a": '\\n"\n', "é": [{}]}, {}, None]))
    return {**strings, "price": price, "is_amp": draw(st.booleans()), "purchase_properties": objects}


@pytest.mark.parametrize("to", [To.CSV, To.TSV])
@law
@given(st.lists(typed_properties(), min_size=1, max_size=4), st.sampled_from([0, 120]), st.booleans())
def test_values_come_back_from_tables(
    tmp_path_factory: pytest.TempPathFactory, to: To, some: list[dict[str, Any]], more: int, lone: bool
) -> None:
    """With the types of the catalog, but for nulls. CSV cannot hold lone surrogates, and parse says so."""
    folder = tmp_path_factory.getbasetemp()
    every = [*[some[0]] * more, *some, *[LONE] * lone]
    text = json.dumps([{"event_type": "a", "id": str(n), "properties": each} for n, each in enumerate(every)]).encode()
    expected = [json.loads(line) for line in parsed(folder, text).splitlines()]
    outcome = run(ParseRequest(sources=sources([str(folder / "in.jsonl")]), output=folder / "table", to=to))
    assert bool(outcome.notes) == (lone and to is To.CSV)
    found = [json.loads(line) for line in parsed(folder, (folder / "table").read_bytes()).splitlines()]
    if outcome.notes:
        del found[-1], expected[-1]
    assert found == [{name: value for name, value in each.items() if value is not None} for each in expected]


GOOD = '[{"event_type":"a","id":"%d","time":1,"user":{"user_id":"u"},"properties":{"t":"é\\n"}}]'
ROWS = st.sampled_from(["good", "good", "good", "not JSON", "cut", "quote", "not UTF-8", "narrow", "payload", "blank"])


def row(kind: str, number: int, *, is_csv: bool) -> bytes:
    """A row of a table, or something in place of one."""
    text = GOOD % number
    cell = {"not JSON": "[nonsense]", "cut": text[:-9], "payload": f'{{"events":{text}}}'}.get(kind, text)
    if is_csv:
        line = '1,"' + cell.replace('"', '""') + '"'
        line = {"quote": line[:-1], "narrow": "1", "blank": ""}.get(kind, line)
    else:
        line = json.dumps({"time": 1, "events": cell})
        line = {"quote": line[:-1], "narrow": "{}", "blank": "", "payload": cell}.get(kind, line)
    return line.encode() + (b"\xff" if kind == "not UTF-8" else b"") + b"\n"


@settings(law, max_examples=30)
@given(st.lists(ROWS, max_size=12), st.booleans(), st.sampled_from([1, 150, 700]), st.booleans())
def test_splits_give_what_one_process_gives(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], is_csv: bool, size: int, dedupe: bool
) -> None:
    """The same output, rejects with their places and outcome."""
    folder = tmp_path_factory.getbasetemp()
    path, output, rejects = folder / "rows", folder / "out", folder / "rejects"
    rows = [row(kind, number % 9, is_csv=is_csv) for number, kind in enumerate(kinds)]
    path.write_bytes(b"".join([b"time,events\n" if is_csv else row("good", 0, is_csv=False), *rows]))
    found = []
    for jobs in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(splits, "MIN_SIZE", 1)
            patch.setattr(splits, "SPLIT_SIZES", (size, size))
            outcome = run(
                ParseRequest(sources=sources([str(path)]), output=output, rejects=rejects, dedupe=dedupe, jobs=jobs)
            )
        found.append((output.read_bytes(), rejects.read_bytes(), outcome))
    assert found[0] == found[1]
