"""Names that were probably meant: the nearest known one to an unknown one."""

from functools import lru_cache
from typing import Final

CUTOFF: Final = 0.75
"""How alike two words must be: lets `sent` pass for `send` and `opne` for `open`, but not `read` for `send`."""

LONGEST: Final = 200
"""Names longer than this, in characters, are nobody's slip of the pen, and not worth a place in the cache."""


def nearest(name: str, candidates: tuple[str, ...], *, separator: str) -> str | None:
    """The candidate that an unknown name probably stands for, or None when nothing is near.

    Names are compared word by word: as wholes, names of one family share so much that any two of them seem alike,
    and a type that Braze added yesterday would be taken for a misspelling of its sister.

    Args:
        name: the unknown name.
        candidates: the known names.
        separator: what stands between the words of a name.
    """
    return None if len(name) > LONGEST else _nearest(name, candidates, separator)


def completed(name: str, candidates: tuple[str, ...], *, separator: str) -> str | None:
    """The only candidate that ends as the name does and has all its words in order, or None.

    `email.Open` and `users.email.open` are completed to `users.messages.email.Open`; `Open` alone could be several.
    """
    return None if len(name) > LONGEST else _completed(name, candidates, separator)


@lru_cache(maxsize=4096)
def _nearest(name: str, candidates: tuple[str, ...], separator: str) -> str | None:
    plain = _plain(name)
    for candidate in candidates:
        if _plain(candidate) == plain:
            return candidate
    words = name.lower().split(separator)
    scored = [(_likeness(words, candidate.lower().split(separator)), candidate) for candidate in candidates]
    score, best = max(scored, default=(0.0, None))
    return best if score else None


@lru_cache(maxsize=4096)
def _completed(name: str, candidates: tuple[str, ...], separator: str) -> str | None:
    words = name.lower().split(separator)
    found = [candidate for candidate in candidates if _is_part(words, candidate.lower().split(separator))]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """Letters and digits alone, so that case, camel case and other separators do not count."""
    return "".join(filter(str.isalnum, name)).lower()


def _likeness(words: list[str], others: list[str]) -> float:
    """The mean likeness of the words in pairs; 0 where one pair is not alike, or the numbers of words differ."""
    from difflib import SequenceMatcher  # noqa: PLC0415 -- only needed for unknown names

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
