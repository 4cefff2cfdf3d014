import pytest

from td_currents_cli.events.flatten import as_bare_event, flatten

SAME = b""


@pytest.mark.parametrize(
    ("event", "flat"),
    [
        # `event_type`, `id`, `time` first, then the user, then the properties; nested values stay nested.
        (
            b'{"event_type":"a","id":"1","time":2,"user":{"user_id":"u"},"properties":{"campaign_id":"c"}}',
            b'{"event_type":"a","id":"1","time":2,"user_id":"u","campaign_id":"c"}',
        ),
        (
            b'{"properties":{"p":1},"time":2,"id":"1","user":{},"event_type":"a"}',
            b'{"event_type":"a","id":"1","time":2,"p":1}',
        ),
        (b'{"properties":{"a":{"b":[1]}}}', b'{"a":{"b":[1]}}'),
        # A name that another field has or could have gets a prefix; so does one that looks prefixed.
        (b'{"user":{"a":1},"properties":{"a":2}}', b'{"user.a":1,"properties.a":2}'),
        (b'{"id":"1","user":{"id":2},"properties":{"time":3}}', b'{"id":"1","user.id":2,"properties.time":3}'),
        (b'{"extra":1,"user":{"extra":2}}', b'{"extra":1,"user.extra":2}'),
        (b'{"user":{"user":1,"properties":2}}', b'{"user.user":1,"user.properties":2}'),
        (b'{"user":{"":1},"properties":{"":2}}', b'{"user.":1,"properties.":2}'),
        (b'{"user":{"user.a":1,"properties.a":1}}', b'{"user.user.a":1,"user.properties.a":1}'),
        (
            b'{"user.a":0,"user":{"a":1,"user.a":2},"properties":{"a":3}}',
            b'{"user.a":0,"user.user.a":1,"user.user.user.a":2,"properties.a":3}',
        ),
        (b'{"properties":{"events":[]}}', b'{"properties.events":[]}'),
        (b'{"user":{"a.b":1}}', b'{"a.b":1}'),
        # So does a name of the streaming connector; a row of its table gets its names back.
        (
            b'{"properties_x":0,"user":{"user_id":1},"properties":{"properties_x":2,"user_user_id":3}}',
            b'{".properties_x":0,"user_id":1,"properties.properties_x":2,"properties.user_user_id":3}',
        ),
        (b'{"user_user_id":1,"properties_x":2,"id":3}', b'{"id":3,"user_id":1,"x":2}'),
        (b'{"user_id":1,"properties_x":2}', b'{"user_id":1,"properties.properties_x":2}'),
        (b'{"user":null,"properties":[1]}', SAME),
        (b'{"user":5,"properties":{"a":1}}', b'{"user":5,"a":1}'),
        # Only white space between the values of a pretty-printed event is removed.
        (
            b'{\r\n  "id": "a\\n b",\r\n  "user": {\r\n    "x": [ 1.0,\n 1e400 ]\r\n  }\r\n}',
            b'{"id":"a\\n b","x":[1.0,1e400]}',
        ),
        # Names with lone surrogates are JSON, and stay the same with a prefix.
        (
            b'{"user":{"\\ud800":1},"properties":{"\\ud800":2,"\\u005cue000":3}}',
            b'{"user.\\ud800":1,"properties.\\ud800":2,"\\\\ue000":3}',
        ),
        (b"{}", SAME),
        (b'{"event_type":"a","id":"1","time":2,"user_id":"u"}', SAME),
        (b'{"event_type":"a", "x" : 1}', SAME),
        (b'{"user":null,"user.a":1,"properties.a":2}', SAME),
        (b'{"a":"\\ud800"}', SAME),
    ],
)
def test_flat_events(event: bytes, flat: bytes) -> None:
    """Nothing is overwritten, and what is flat is unchanged."""
    assert flatten(event) == (flat or event)


@pytest.mark.parametrize(
    ("flat", "event"),
    [
        (b'{"event_type":"a","x":"events"}', SAME),
        (b'{ "event_type":null}', SAME),
        (b'{"id":"1","\\ud800":1}', b'{"event_type":null,"id":"1","\\ud800":1}'),
        (b'{"event_type":"a","events":[{}],".events":1}', b'{"event_type":"a","..events":[{}],".events":1}'),
        (b'{"event_type":"a","\\u0065vents":1}', b'{"event_type":"a",".events":1}'),
    ],
)
def test_a_flat_event_is_read_as_an_event(flat: bytes, event: bytes) -> None:
    """Not as a payload, because of `events`, and not as something else, for want of a type."""
    assert as_bare_event(flat) == (event or flat)
