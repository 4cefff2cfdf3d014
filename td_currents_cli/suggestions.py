"""Suggestions for misspelled names: of event types, fields, options, commands, and settings."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

CUTOFF: Final = 0.75
"""Minimum similarity of two words: accepts `sent` for `send` and `opne` for `open`, but not `read` for `send`."""

MAX_LENGTH: Final = 200  # characters; a longer name is not a typo and does not belong in the cache


def nearest(name: str, candidates: tuple[str, ...], *, separator: str) -> str | None:
    """Return the most similar candidate, or None if there is no similar one.

    Names are compared word by word, split at the separator. Whole names of one family have much in common, so a type
    that Braze added yesterday would be taken for a misspelling of another.
    """
    return None if len(name) > MAX_LENGTH else _nearest(name, candidates, separator)


def did_you_mean(name: str, known: Mapping[str, str], otherwise: str = "", *, separator: str = "-") -> str:
    """Return a hint to what is near a name, or another one. Keys of `known` are compared, values are shown."""
    near = nearest(name, tuple(known), separator=separator)
    return f"Did you mean {known[near]}?" if near else otherwise


@lru_cache(maxsize=4096)
def _nearest(name: str, candidates: tuple[str, ...], separator: str) -> str | None:
    by_plain_name, words_of = _prepared(candidates, separator)
    if same := by_plain_name.get(_plain(name)):
        return same
    words = name.lower().split(separator)
    scored = [(_similarity(words, others), candidate) for candidate, others in words_of.items()]
    score, best = max(scored, default=(0.0, None))
    return best if score else None


@lru_cache(maxsize=256)
def _prepared(candidates: tuple[str, ...], separator: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the first candidate by its plain name, and the words of each: thousands of names may be unknown."""
    by_plain_name = {_plain(candidate): candidate for candidate in reversed(candidates)}
    return by_plain_name, {candidate: candidate.lower().split(separator) for candidate in candidates}


@lru_cache(maxsize=4096)
def completed(name: str, candidates: tuple[str, ...], separator: str) -> str | None:
    """Return the only candidate that ends with the same word and has all words of the name in order, or None.

    `email.Open` and `users.email.open` become `users.messages.email.Open`; `Open` alone is ambiguous.
    """
    words = name.lower().split(separator)
    found = []
    for candidate in candidates:
        others = candidate.lower().split(separator)
        rest = iter(others)
        if words[-1] == others[-1] and all(word in rest for word in words):
            found.append(candidate)
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """Keep lowercase letters and digits, so that case and separators do not matter."""
    return "".join(filter(str.isalnum, name)).lower()


def _similarity(words: list[str], others: list[str]) -> float:
    """Return the mean similarity of pairs of words; 0 if one pair is not similar, or the numbers of words differ."""
    if len(words) != len(others):
        return 0.0
    total = 0.0
    for word, other in zip(words, others, strict=True):
        ratio = 1.0 if word == other else _word_similarity(word, other)
        if ratio < CUTOFF:
            return 0.0
        total += ratio
    return total / len(words)


@lru_cache(maxsize=65_536)
def _word_similarity(word: str, other: str) -> float:
    """Return the similarity of two words; 0 if it is below CUTOFF."""
    from difflib import SequenceMatcher  # noqa: PLC0415 -- only for unknown names

    matcher = SequenceMatcher(None, word, other, autojunk=False)
    is_near = matcher.real_quick_ratio() >= CUTOFF and matcher.quick_ratio() >= CUTOFF
    return ratio if is_near and (ratio := matcher.ratio()) >= CUTOFF else 0.0
