import pytest

from td_currents_cli.events.json import hide_lone_surrogates


@pytest.mark.parametrize(
    "text",
    [
        b'"plain"',
        b'"\\ud83d\\ude00"',
        b'"\\\\ud800"',
        b'"\\u00e9"',
        '"😀\ue000"'.encode(),
    ],
)
def test_json_without_lone_surrogates_is_unchanged(text: bytes) -> None:
    """A pair is one character; an escaped backslash does not begin an escape."""
    hidden, restore = hide_lone_surrogates(text)
    assert hidden == text
    assert restore(text) == text


@pytest.mark.parametrize(
    "text",
    [
        b'"\\ud800"',
        b'"\\uDFFF and \\uD800"',
        b'"\\ud800\\ud83d\\ude00"',
        b'"\\ud83d\\u0041\\ude00"',
        b'"\\\\\\ud800"',
        b'"\\ud800\\ue000\\uE001"',
        '"\\ud800\ue000"'.encode(),
        b'"\\ud800\\u005cue000"',
        b"".join(b'"\\u%04x",' % lone for lone in range(0xD800, 0xE000)),
    ],
)
def test_lone_surrogates_are_hidden_and_restored(text: bytes) -> None:
    """With the same length, so that offsets stay valid; nothing else changes."""
    hidden, restore = hide_lone_surrogates(text)
    assert hidden != text
    assert len(hidden) == len(text)
    assert restore(hidden) == text


def test_an_escape_that_became_a_character_is_restored() -> None:
    """Names are encoded again when events are flattened."""
    hidden, restore = hide_lone_surrogates(b'"\\ud800"')
    character = hidden.decode("unicode_escape")
    assert restore(character.encode()) == b'"\\ud800"'
