import pytest

from td_currents_cli.events.flatten import as_bare_event, flatten


@pytest.mark.parametrize(
    ("event", "flat"),
    [
        (
            b'{"event_type":"a","id":"1","time":2,"user":{"user_id":"u"},"properties":{"campaign_id":"c"}}',
            b'{"event_type":"a","id":"1","time":2,"user_id":"u","campaign_id":"c"}',
        ),
        (
            b'{"properties":{"p":1},"time":2,"id":"1","user":{},"event_type":"a"}',
            b'{"event_type":"a","id":"1","time":2,"p":1}',
        ),
        (b'{"event_type":"a"}', b'{"event_type":"a"}'),
        (b"{}", b"{}"),
        (b'{"user":{"a":1}}', b'{"a":1}'),
        (b'{"properties":{"a":{"b":[1]}}}', b'{"a":{"b":[1]}}'),
    ],
)
def test_fields_of_user_and_properties_follow_the_envelope(event: bytes, flat: bytes) -> None:
    """`event_type`, `id`, `time` first, then the user, then the properties; nested values stay nested."""
    assert flatten(event) == flat


@pytest.mark.parametrize(
    ("event", "flat"),
    [
        (b'{"user":{"a":1},"properties":{"a":2}}', b'{"user.a":1,"properties.a":2}'),
        (b'{"id":"1","user":{"id":2},"properties":{"time":3}}', b'{"id":"1","user.id":2,"properties.time":3}'),
        (b'{"extra":1,"user":{"extra":2}}', b'{"extra":1,"user.extra":2}'),
        (b'{"user":{"user":1,"properties":2}}', b'{"user.user":1,"user.properties":2}'),
        (b'{"user":{"":1},"properties":{"":2}}', b'{"user.":1,"properties.":2}'),
        (b'{"user":{"user.a":1}}', b'{"user.user.a":1}'),
        (b'{"user":{"properties.a":1}}', b'{"user.properties.a":1}'),
        (
            b'{"user.a":0,"user":{"a":1,"user.a":2},"properties":{"a":3}}',
            b'{"user.a":0,"user.user.a":1,"user.user.user.a":2,"properties.a":3}',
        ),
        (b'{"properties":{"events":[]}}', b'{"properties.events":[]}'),
        (b'{"user":{"a.b":1}}', b'{"a.b":1}'),
        (
            b'{"properties_x":0,"user":{"user_id":1},"properties":{"properties_x":2,"user_user_id":3}}',
            b'{".properties_x":0,"user_id":1,"properties.properties_x":2,"properties.user_user_id":3}',
        ),
        (b'{"user_user_id":1,"properties_x":2,"id":3}', b'{"id":3,"user_id":1,"x":2}'),
        (b'{"user_id":1,"properties_x":2}', b'{"user_id":1,"properties.properties_x":2}'),
        (b'{"user":null,"properties":[1]}', b'{"user":null,"properties":[1]}'),
        (b'{"user":5,"properties":{"a":1}}', b'{"user":5,"a":1}'),
    ],
)
def test_nothing_is_overwritten(event: bytes, flat: bytes) -> None:
    """A name that another field has or could have gets a prefix; so does one that looks prefixed."""
    assert flatten(event) == flat


@pytest.mark.parametrize(
    "value",
    [
        b"9223372036854775807",
        b"123456789012345678901234567890",
        b"3.140000104904175",
        b"1.0",
        b"-0",
        b"1e400",
        b"1E+2",
        b'"\\u0000"',
        b'"\\/\\u00e9"',
        b'"\\ud800"',
        '"\u2028😀"'.encode(),
        b'{"a": [1,  2]}',
    ],
)
def test_values_are_copied_byte_for_byte(value: bytes) -> None:
    """No number is parsed and no escape is resolved, even if a name changes."""
    assert flatten(b'{"properties":{"a":' + value + b"}}") == b'{"a":' + value + b"}"
    clash = flatten(b'{"user":{"a":' + value + b'},"properties":{"a":1}}')
    assert clash == b'{"user.a":' + value + b',"properties.a":1}'


def test_a_pretty_printed_event_becomes_one_line() -> None:
    """Only white space between values is removed."""
    event = b'{\r\n  "id": "a\\n b",\r\n  "user": {\r\n    "x": [ 1.0,\n 1e400 ]\r\n  }\r\n}'
    assert flatten(event) == b'{"id":"a\\n b","x":[1.0,1e400]}'


def test_names_with_lone_surrogates() -> None:
    """They are JSON, and stay the same with a prefix."""
    event = b'{"user":{"\\ud800":1},"properties":{"\\ud800":2,"\\u005cue000":3}}'
    assert flatten(event) == b'{"user.\\ud800":1,"properties.\\ud800":2,"\\\\ue000":3}'


@pytest.mark.parametrize(
    ("flat", "event"),
    [
        (b'{"event_type":"a","x":"events"}', b'{"event_type":"a","x":"events"}'),
        (b'{ "event_type":null}', b'{ "event_type":null}'),
        (b'{"id":"1","\\ud800":1}', b'{"event_type":null,"id":"1","\\ud800":1}'),
        (b'{"event_type":"a","events":[{}],".events":1}', b'{"event_type":"a","..events":[{}],".events":1}'),
        (b'{"event_type":"a","\\u0065vents":1}', b'{"event_type":"a",".events":1}'),
    ],
)
def test_a_flat_event_is_read_as_an_event(flat: bytes, event: bytes) -> None:
    """Not as a payload, because of `events`, and not as something else, for want of a type."""
    assert as_bare_event(flat) == event


@pytest.mark.parametrize(
    "flat",
    [
        b'{"event_type":"a","id":"1","time":2,"user_id":"u"}',
        b'{"event_type":"a", "x" : 1}',
        b'{"user":null,"user.a":1,"properties.a":2}',
        b'{"a":"\\ud800"}',
    ],
)
def test_a_flat_event_is_unchanged(flat: bytes) -> None:
    assert flatten(flat) == flat
