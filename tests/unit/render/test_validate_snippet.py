"""The line around a place, and the mark under it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from td_currents_cli.model import Excerpt
from td_currents_cli.render.validate_text import snippet

WIDE = 10_000


def marked(excerpt: Excerpt, width: int = WIDE) -> tuple[str, str]:
    """The line, and the part of it that stands over the mark in a monospaced font."""
    shown = snippet(excerpt, width)
    begin, over = 0, ""
    for character in shown.text:
        if begin >= shown.pad and begin < shown.pad + len(shown.mark):
            over += character
        begin += cell_len(character)
    return shown.text, over


@pytest.mark.parametrize(
    ("text", "place", "shown", "over"),
    [
        ('{"price":"9.99","currency":"USD"}', 9, None, '"9.99"'),
        ('{"price":"9.99"}', 1, None, '"price"'),
        ('{"a":-1.5e+3,"b":true}', 5, None, "-1.5e+3"),
        ('{"a":-1.5e+3,"b":true}', 17, None, "true"),
        ('{"a":"say \\"x\\" twice"}', 5, None, '"say \\"x\\" twice"'),
        ('{"user":{}}', 8, None, "{"),
        ('{"open":"never closed', 8, None, '"never closed'),
        ("[1,]", 3, None, "]"),
        # Two cells for an ideograph and the ideographic space, none for a combining accent.
        ('{"商品　名":1,"cafe\u0301":2,"price":"x"}', '"x"', None, '"x"'),
        # Nothing in a payload moves the cursor, colors the terminal or turns the text around.
        ('{"a\x1b[31m":"\u202ex\x00","b":"y"}', '"y"', '{"a\\x1b[31m":"\\u202ex\\x00","b":"y"}', '"y"'),
        ('"\ud800"', 0, '"\\ud800"', '"\\ud800"'),
        # Tabs that indent are spaces; a tab inside a string is what is wrong with it.
        ('\t\t"a": 1', 2, '        "a": 1', '"a"'),
        ('{"a":"x\ty"}', 7, '{"a":"x\\ty"}', "\\t"),
        # A joiner is part of ordinary text, though Unicode counts it among the formats.
        ('{"name":"👩\u200d💻"}', 1, None, '"name"'),
    ],
)
def test_the_mark_is_under_the_whole_token(text: str, place: int | str, shown: str | None, over: str) -> None:
    """A string with its quotes, a number, a word; one character where the place is none of these."""
    caret = text.index(place) if isinstance(place, str) else place
    assert marked(Excerpt(text, caret)) == (shown or text, over)


def test_the_mark_is_as_wide_as_a_wide_token() -> None:
    assert snippet(Excerpt('["商品"]', 1), WIDE).mark == "^" * 6


def test_what_the_reader_cut_off_is_shown_by_ellipses() -> None:
    """The mark counts the first of them."""
    excerpt = Excerpt('"a":1,"b":2', 10, cut_before=True, cut_after=True)
    assert marked(excerpt) == ('…"a":1,"b":2…', "2")


def test_a_place_at_the_end_of_the_line_has_a_mark() -> None:
    """As where the text ends too early."""
    shown = snippet(Excerpt('{"a":', 5), WIDE)
    assert (shown.pad, shown.mark) == (5, "^")


def test_a_long_line_is_cut_around_the_place() -> None:
    """As much as fits, with the place in it and both cuts shown."""
    text = "a" * 100 + ',"x",' + "b" * 100
    shown, over = marked(Excerpt(text, 101), width=40)
    assert over == '"x"'
    assert shown.startswith("…a")
    assert shown.endswith("b…")
    assert cell_len(shown) == 40


def test_a_long_line_is_shown_to_its_end_where_the_place_is_there() -> None:
    text = "a" * 100 + ',"x"'
    shown, over = marked(Excerpt(text, 101), width=40)
    assert (over, shown[-4:], cell_len(shown)) == ('"x"', ',"x"', 39)


CHARACTERS = st.text(st.sampled_from('ab"\\:,{} \t\x07商　é\u0301👩\u200d'), max_size=80)


@given(before=CHARACTERS, after=CHARACTERS, cut=st.tuples(st.booleans(), st.booleans()), width=st.integers(20, 120))
def test_a_snippet_fits_and_its_mark_is_inside(before: str, after: str, cut: tuple[bool, bool], width: int) -> None:
    """Whatever the line holds: never wider than there is room, never a mark beyond it but one at its end."""
    shown = snippet(Excerpt(before + after, len(before), *cut), width)
    assert cell_len(shown.text) <= width
    assert shown.pad + len(shown.mark) <= cell_len(shown.text) + 1
    assert not set("\t\x07") & set(shown.text)
