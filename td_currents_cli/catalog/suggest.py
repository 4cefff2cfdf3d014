"""Suggestions for misspelled names."""

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


def completed(name: str, candidates: tuple[str, ...], *, separator: str) -> str | None:
    """Return the only candidate that ends with the same word and has all words of the name in order, or None.

    `email.Open` and `users.email.open` become `users.messages.email.Open`; `Open` alone is ambiguous.
    """
    return None if len(name) > MAX_LENGTH else _completed(name, candidates, separator)


@lru_cache(maxsize=4096)
def _nearest(name: str, candidates: tuple[str, ...], separator: str) -> str | None:
    plain = _plain(name)
    for candidate in candidates:
        if _plain(candidate) == plain:
            return candidate
    words = name.lower().split(separator)
    scored = [(_similarity(words, candidate.lower().split(separator)), candidate) for candidate in candidates]
    score, best = max(scored, default=(0.0, None))
    return best if score else None


@lru_cache(maxsize=4096)
def _completed(name: str, candidates: tuple[str, ...], separator: str) -> str | None:
    words = name.lower().split(separator)
    found = [candidate for candidate in candidates if _is_part(words, candidate.lower().split(separator))]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """Keep lowercase letters and digits, so that case and separators do not matter."""
    return "".join(filter(str.isalnum, name)).lower()


def _similarity(words: list[str], others: list[str]) -> float:
    """Return the mean similarity of pairs of words; 0 if one pair is not similar, or the numbers of words differ."""
    from difflib import SequenceMatcher  # noqa: PLC0415 -- only for unknown names

    if len(words) != len(others):
        return 0.0
    total = 0.0
    for word, other in zip(words, others, strict=True):
        matcher = SequenceMatcher(None, word, other, autojunk=False)
        if matcher.real_quick_ratio() < CUTOFF or matcher.ratio() < CUTOFF:
            return 0.0
        total += matcher.ratio()
    return total / len(words)


def _is_part(words: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return words[-1] == whole[-1] and all(word in rest for word in words)
