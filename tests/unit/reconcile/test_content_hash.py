"""The outline of an event, computed by tdcur and by Trino from independent rules: they agree."""

import json
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from td_currents_cli.reconcile.content_hash import _EXTREME_BYTES, UNKNOWN, content_digest, decoded, outline
from td_currents_cli.treasure_data.sql.events import content_hash_sql
from td_currents_cli.treasure_data.sql.text import string_literal
from tests.td_service.engine import Engine

ROWS = Path(__file__).parents[3] / "sample_data" / "rows" / "rows.jsonl"

TEXTS = {
    '{"user": {}, "b": 1, "a": [1, -2, true, null, "x"]}': '{"a":[1,-2,true,null,"x"],"b":1,"user":{}}',
    '{"user":{"b":{"d":1,"c":2},"a":"/\\/"}}': '{"user":{"a":"//","b":{"c":2,"d":1}}}',
    '{"user":{"a":1,"a":{"b":2}},"user":{"a":3}}': '{"user":{"a":3}}',
    '{"user":{},"a":"\\u001f\\u0000\\b\\t\\n\\f\\r\\u000b\\u007f\\u2028"}': (
        '{"a":"\\u001F\\u0000\\b\\t\\n\\f\\r\\u000B\x7f\u2028","user":{}}'
    ),
    '{"user":{},"a":"\\\\u001f\\"\\\\"}': '{"a":"\\\\u001f\\"\\\\","user":{}}',
    '{"user":{},"\U0001f600":1,"\uffee":2,"é":3}': '{"user":{},"é":3,"\U0001f600":1,"\uffee":2}',
    '{"user":{},"a":"\\ud83d\\ude00"}': '{"a":"\U0001f600","user":{}}',
    '{"user":{},"a":[3.140000104904175,-0.0,-0.5,9.99,1.0,1e0,1E3]}': '{"a":[3,-0,-0,9,1,1,1000],"user":{}}',
    '{"user":{},"a":[1e7,9999999.9,0.001,1e-4,-1e10,5e-324,0.0,10000000.0]}': '{"a":[,9999999,0,,,,0,],"user":{}}',
    '{"user":{},"a":[12345678901234567890123,-18446744073709551616,10000000]}': (
        '{"a":[12345678901234567890123,-18446744073709551616,10000000],"user":{}}'
    ),
    '{"user":{},"a":"x, -1.5e3, :2.5","b":"[1.5"}': '{"a":"x, -1.5e3, :2.5","b":"[1.5","user":{}}',
    '{"properties":{"custom_properties":{"z":{"y":[{"x":1.25,"w":null}]},"":0}}}': (
        '{"properties":{"custom_properties":{"":0,"z":{"y":[{"w":null,"x":1}]}}}}'
    ),
}
"""Events, and what is made a digest of."""

NONE = [
    '{"id": "flat", "user": null, "user_id": "x"}',
    '{"user": {"a": "\\ud800"}}',
    '{"user": {"\\udc00": 1.5}}',
    '{"user": {"a": 1e400}}',
    '{"user": {"a": 1' + "0" * 5000 + "}}",
    '{"user": ' + '{"a":' * 3000 + "1" + "}" * 3001,
]


def here(text: str) -> int:
    return outline(Raw(text.encode()))


@pytest.mark.parametrize(("event", "text"), TEXTS.items())
def test_canonical_json(event: str, text: str) -> None:
    """Written by hand from what Jackson and Java document."""
    assert here(event) == int(md5(text.encode(), usedforsecurity=False).hexdigest()[:16], 16)


@pytest.mark.parametrize("event", NONE, ids=range(len(NONE)))
def test_events_without_an_outline(event: str) -> None:
    """Flat events, and what Trino or tdcur cannot read: not compared rather than compared wrongly."""
    assert here(event) == UNKNOWN


@pytest.fixture(scope="module")
def trino() -> Engine:
    return Engine({})


def there(trino: Engine, events: list[str]) -> list[int]:
    """The digests that Trino computes."""
    listed = ", ".join(f"({number}, {string_literal(event)})" for number, event in enumerate(events))
    query = [
        "SELECT",
        content_hash_sql("JSON_PARSE(event)"),
        "FROM (VALUES",
        listed,
        ") AS events (n, event) ORDER BY n",
    ]
    return [int(digits, 16) for (digits,) in trino.query(" ".join(query)).rows]


def test_trino_agrees_on_known_events(trino: Engine) -> None:
    """The events above, and all sample events."""
    batches = [json.loads(json.loads(row)["events"]) for row in ROWS.read_text("utf-8").splitlines()]
    events = [*TEXTS, *(json.dumps(event) for batch in batches for event in batch)]
    digests = there(trino, events)
    assert digests == [here(event) for event in events]
    assert len(set(digests)) == len(events)


NUMBERS = st.integers() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(max_size=6) | st.sampled_from(["1.5", ", -1e5", '"', "\\u001f", "\x1f", "\U0001f600", "\uffff", "it's"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.builds(lambda inner, rest: rest | {"properties": inner}, *[st.dictionaries(TEXT, VALUES, max_size=4)] * 2)


@settings(deadline=None, max_examples=50)
@given(st.lists(EVENTS, min_size=1, max_size=4), st.booleans())
def test_trino_agrees_on_any_event(trino: Engine, events: list[dict[str, Any]], is_ascii: bool) -> None:
    """With any escapes."""
    texts = [json.dumps(event, ensure_ascii=is_ascii) for event in events]
    assert there(trino, texts) == [here(text) for text in texts]


@pytest.mark.parametrize("number", ["1e400", "-2.5E+0400", "[1e400]", "[0, 1.0e-400]", '{"b": \n1e400}'])
@pytest.mark.parametrize("form", ["{}", "{}\n", " {} "])
def test_numbers_beyond_a_double_are_told_apart(number: str, form: str) -> None:
    def digest(text: str) -> int:
        return content_digest(decoded(Raw(f'{{"id":"8e777f","a":{form.format(text)}}}'.encode())))

    assert digest(number) != digest(number.replace("400", "401"))


def test_ids_are_decoded_as_fast_as_other_strings() -> None:
    """`8e777` is no number in them."""
    assert not _EXTREME_BYTES.search(b'{"id":"0e777-1e999","a": "x8e777", "b":[1e99,12.5e-7]}')
    assert _EXTREME_BYTES.search(b'{"a":-12.5e-700}')
