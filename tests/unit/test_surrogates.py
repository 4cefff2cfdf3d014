import pytest

from td_currents_cli.events.surrogates import hide_lone_surrogates


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
def test_without_lone_ones_nothing_changes(text: bytes) -> None:
    """A pair is one character; an escaped backslash begins no escape."""
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
def test_hidden_and_put_back(text: bytes) -> None:
    """Of the same length, so that offsets hold; they are put back, and nothing else is."""
    hidden, restore = hide_lone_surrogates(text)
    assert hidden != text
    assert len(hidden) == len(text)
    assert restore(hidden) == text


def test_put_back_also_where_an_escape_has_become_a_character() -> None:
    """Names are written anew when events are flattened."""
    hidden, restore = hide_lone_surrogates(b'"\\ud800"')
    character = hidden.decode("unicode_escape")
    assert restore(character.encode()) == b'"\\ud800"'
