"""Compares both sides by id, one partition of their fingerprints at a time, with ordinary dictionaries."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from struct import Struct as Layout
from typing import Final

from td_currents_cli.reconcile.content import UNKNOWN
from td_currents_cli.reconcile.differences import DiffCollector
from td_currents_cli.reconcile.sheaf import RECORD
from td_currents_cli.reconcile.shelf import PARTITIONS, EventInfo, FingerprintStore, Partition
from td_currents_cli.reconcile.side import Depth

_DIGEST_AND_CONTENT: Final = Layout("<16sQ9x")
_DIGEST: Final = Layout("<16s17x")


def compare(sent: FingerprintStore, ingested: FingerprintStore, differences: DiffCollector, depth: Depth) -> None:
    """Find all differences between two sides; empties their stores.

    Raises:
        OutputError: fingerprints cannot be read from a temporary file.
    """
    by_content = depth is not Depth.IDS
    for number in range(PARTITIONS):
        partitions = sent.take(number), ingested.take(number)
        first, second = (_contents(partition, by_content=by_content) for partition in partitions)
        equal = first == second
        differences.sent += len(first)
        differences.ingested += len(second)
        differences.both += len(first) if equal else len(first.keys() & second.keys())
        odd = set() if equal else {digest for digest, _content in first.items() ^ second.items()}
        odd |= _repeated(partitions[0], len(first)) | _repeated(partitions[1], len(second))
        if depth is Depth.OUTLINE:
            odd |= {digest for digest, content in first.items() if content == UNKNOWN} & second.keys()
        if odd:
            of_sent, of_ingested = _infos(sent, partitions[0], odd), _infos(ingested, partitions[1], odd)
            for digest in odd:
                differences.add(digest, of_sent.get(digest, ()), of_ingested.get(digest, ()), by_content=by_content)


def _contents(partition: Partition, *, by_content: bool) -> dict[bytes, int]:
    """The content of each id; one of them for an id with several."""
    if by_content:
        return dict(_DIGEST_AND_CONTENT.iter_unpack(partition.records))
    return dict.fromkeys((digest for (digest,) in _DIGEST.iter_unpack(partition.records)), 0)


def _repeated(partition: Partition, different: int) -> set[bytes]:
    """Ids that occur more than once."""
    if len(partition.records) == different * RECORD.size:
        return set()
    counts = Counter(digest for (digest,) in _DIGEST.iter_unpack(partition.records))
    return {digest for digest, count in counts.items() if count > 1}


def _infos(store: FingerprintStore, partition: Partition, odd: set[bytes]) -> Mapping[bytes, Sequence[EventInfo]]:
    """The events of some ids, of each id in the order read."""
    found: defaultdict[bytes, list[EventInfo]] = defaultdict(list)
    for digest, info in store.infos(partition):
        if digest in odd:
            found[digest].append(info)
    for infos in found.values():
        infos.sort(key=lambda info: info.position)
    return found
