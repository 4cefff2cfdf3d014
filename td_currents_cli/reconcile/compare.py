"""Both sides beside each other, id by id: part by part of their fingerprints, each with ordinary dicts."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from struct import Struct as Layout
from typing import Final, TypeAlias

from td_currents_cli.reconcile.content import UNKNOWN
from td_currents_cli.reconcile.differences import Differences
from td_currents_cli.reconcile.sheaf import RECORD
from td_currents_cli.reconcile.shelf import PARTS, Part, Shelf, Trait
from td_currents_cli.reconcile.side import Depth

_PAIR: Final = Layout("<16sQ9x")
_DIGEST: Final = Layout("<16s17x")

Traits: TypeAlias = Mapping[bytes, Sequence[Trait]]


def compare(sent: Shelf, ingested: Shelf, differences: Differences, depth: Depth) -> None:
    """Find all differences between two sides. Their fingerprints are gone then.

    Args:
        sent: one side.
        ingested: the other one.
        differences: takes what is found.
        depth: what both sides know.

    Raises:
        OutputError: fingerprints cannot be read from a temporary file.
    """
    by_content = depth is not Depth.IDS
    for number in range(PARTS):
        parts = sent.take(number), ingested.take(number)
        first, second = (_contents(part, by_content=by_content) for part in parts)
        both = len(first) if first == second else len(first.keys() & second.keys())
        differences.count(sent=len(first), ingested=len(second), both=both)
        odd = _odd(first, second) | _repeated(parts[0], len(first)) | _repeated(parts[1], len(second))
        if depth is Depth.OUTLINE:
            odd |= _unknown(first) & second.keys()
        if odd:
            of_sent, of_ingested = _traits(sent, parts[0], odd), _traits(ingested, parts[1], odd)
            for digest in odd:
                differences.add(digest, of_sent.get(digest, ()), of_ingested.get(digest, ()), by_content=by_content)


def _contents(part: Part, *, by_content: bool) -> dict[bytes, int]:
    """The content of each id of a part; of one that has several, one of them."""
    if by_content:
        return dict(_PAIR.iter_unpack(part.records))
    return dict.fromkeys((digest for (digest,) in _DIGEST.iter_unpack(part.records)), 0)


def _odd(first: dict[bytes, int], second: dict[bytes, int]) -> set[bytes]:
    """Ids that are on one side only, or have another content on the other one."""
    if first == second:
        return set()
    return {digest for digest, _content in first.items() ^ second.items()}


def _unknown(contents: dict[bytes, int]) -> set[bytes]:
    """Ids of which nothing but themselves is known."""
    return {digest for digest, content in contents.items() if content == UNKNOWN}


def _repeated(part: Part, different: int) -> set[bytes]:
    """Ids that a part has more than once."""
    if len(part.records) == different * RECORD.size:
        return set()
    counts = Counter(digest for (digest,) in _DIGEST.iter_unpack(part.records))
    return {digest for digest, count in counts.items() if count > 1}


def _traits(shelf: Shelf, part: Part, odd: set[bytes]) -> Traits:
    """All there is to know of some ids, of each in the order read."""
    found: defaultdict[bytes, list[Trait]] = defaultdict(list)
    for digest, trait in shelf.traits(part):
        if digest in odd:
            found[digest].append(trait)
    for traits in found.values():
        traits.sort(key=_place)
    return found


def _place(trait: Trait) -> int:
    return trait.place
