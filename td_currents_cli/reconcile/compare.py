"""Compares both sides by id, one partition of their fingerprints at a time, with ordinary dictionaries."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from struct import Struct as Layout
from typing import Final, TypeAlias

from msgspec import Struct

from td_currents_cli.reconcile.content_hash import UNKNOWN
from td_currents_cli.reconcile.fingerprints import (
    PARTITIONS,
    RECORD,
    Bitmap,
    BloomFilter,
    EventInfo,
    FingerprintStore,
    FirstN,
    Partition,
)
from td_currents_cli.reconcile.side import CompareMode, Depth, DiffKind, SideFigures


class DiffGroup(Struct):
    """Ids with one kind of difference and one type."""

    count: int = 0
    first: int | None = None  # earliest of their usable times in UNIX seconds
    last: int | None = None

    def add(self, seconds: int | None) -> None:
        """Count an id, given the time of its event."""
        self.count += 1
        if seconds is not None:
            self.first = seconds if self.first is None else min(self.first, seconds)
            self.last = seconds if self.last is None else max(self.last, seconds)


class DiffCollector:
    """Collects what a comparison finds."""

    def __init__(self, sent: SideFigures, ingested: SideFigures, events: int, show: int) -> None:
        self.sent = sent
        self.ingested = ingested
        self.both = 0  # number of ids on both sides
        self.unknown = 0  # those of them whose content is unknown on one side
        self.anonymous: Counter[str | None] = Counter()  # sent ids that need not arrive and did not, by type
        self.is_exact = True  # whether different digests show that contents differ
        self.groups: dict[DiffKind, dict[str | None, DiffGroup]] = {kind: {} for kind in DiffKind}  # ids by type
        self.missing = Bitmap(events)  # positions of the missing ones among the sent events
        # The positions of the first ids of each kind, on the ingested side but for the missing ones.
        self.examples = {kind: FirstN(show) for kind in DiffKind}
        self.suspects = BloomFilter()  # ids whose contents differ

    def add(self, digest: bytes, sent: Sequence[EventInfo], ingested: Sequence[EventInfo], *, by_content: bool) -> None:
        """Record an id that may differ, given its events on both sides, in order.

        Where an id was sent with several contents, any of them may arrive.
        """
        self.sent.add_repeated(sent)
        self.ingested.add_repeated(ingested)
        if not ingested and all(info.optional for info in sent):
            self.anonymous[sent[0].event_type] += 1
        elif not ingested:
            self._record(DiffKind.MISSING, sent[0], sent[0], digest)
            self.missing.add(sent[0].position, digest)
        elif not sent:
            self._record(DiffKind.UNEXPECTED, ingested[0], ingested[0], digest)
        elif by_content:
            self._compare_contents(digest, sent, ingested)
        if len(ingested) > 1:
            self._record(DiffKind.DUPLICATED, (sent or ingested)[0], ingested[0], digest)

    def _compare_contents(self, digest: bytes, sent: Sequence[EventInfo], ingested: Sequence[EventInfo]) -> None:
        known, found = {info.content for info in sent}, {info.content for info in ingested}
        changed = {each for each in found if not any(is_same(each, other) for other in known)} - {UNKNOWN}
        if changed and UNKNOWN not in known and self.is_exact:
            self._record(DiffKind.CHANGED, sent[0], ingested[0], digest)
            self.suspects.add(digest)
        elif changed or UNKNOWN in found:
            self.unknown += 1

    def _record(self, kind: DiffKind, info: EventInfo, example: EventInfo, digest: bytes) -> None:
        self.groups[kind].setdefault(info.event_type, DiffGroup()).add(info.seconds)
        self.examples[kind].add(example.position, digest)


_DIGEST_AND_CONTENT: Final = Layout("<16sQ9x")
_DIGEST: Final = Layout("<16s17x")


def is_same(one: int, other: int) -> bool:
    """Whether contents are the same, of which one may be that of a row of the streaming connector."""
    return one == other or (not min(one >> 32, other >> 32) and one & _LOWER == other & _LOWER)


_LOWER: Final = (1 << 32) - 1


def compare(sent: FingerprintStore, ingested: FingerprintStore, differences: DiffCollector, mode: CompareMode) -> None:
    """Find all differences between two sides; empties their stores."""
    depth, by_content = mode.depth, mode.depth is not Depth.IDS
    for number in range(PARTITIONS):
        partitions = sent.take(number), ingested.take(number)
        if mode.per_id:
            _compare_in_scope(_infos(sent, partitions[0]), _infos(ingested, partitions[1]), differences, mode)
            continue
        first, second = (_contents(partition, by_content=by_content) for partition in partitions)
        equal = first == second
        differences.sent.ids += len(first)
        differences.ingested.ids += len(second)
        differences.both += len(first) if equal else len(first.keys() & second.keys())
        odd = set() if equal else {digest for digest, _content in first.items() ^ second.items()}
        if mode.streaming:
            odd -= {each for each in odd & first.keys() & second.keys() if is_same(first[each], second[each])}
        odd |= _repeated(partitions[0], len(first)) | _repeated(partitions[1], len(second))
        if depth is Depth.OUTLINE:
            odd |= {digest for digest, content in first.items() if content == UNKNOWN} & second.keys()
        if odd:
            of_sent, of_ingested = _infos(sent, partitions[0], odd), _infos(ingested, partitions[1], odd)
            for digest in odd:
                differences.add(digest, of_sent.get(digest, ()), of_ingested.get(digest, ()), by_content=by_content)


_Events: TypeAlias = Mapping[bytes, Sequence[EventInfo]]
"""The events of each id."""


def _compare_in_scope(sent: _Events, ingested: _Events, differences: DiffCollector, mode: CompareMode) -> None:
    for digest in sent.keys() | ingested.keys():
        of_sent, of_ingested = sent.get(digest, ()), ingested.get(digest, ())
        is_kept = is_in_scope([*of_sent, *of_ingested])
        kept = []
        for figures, events in ((differences.sent, of_sent), (differences.ingested, of_ingested)):
            received = [info for info in events if info.received]
            if not is_kept:
                figures.leave_out(received)
            kept.append([info for info in events if is_kept and (info.received or not info.outside)])
            figures.ids += bool(kept[-1])
        differences.both += all(kept)
        if any(kept):
            differences.add(digest, *kept, by_content=mode.depth is not Depth.IDS)


def is_in_scope(events: Sequence[EventInfo]) -> bool:
    """Whether an id is in scope, given its events on both sides: by event time, or by receive time if none has one."""
    own = [info for info in events if not info.received]
    return any(not info.outside for info in own or events)


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


def _infos(store: FingerprintStore, partition: Partition, odd: set[bytes] | None = None) -> _Events:
    """The events of some ids, or of all, of each id in the order read."""
    found: defaultdict[bytes, list[EventInfo]] = defaultdict(list)
    for digest, info in store.infos(partition):
        if odd is None or digest in odd:
            found[digest].append(info)
    for infos in found.values():
        infos.sort(key=lambda info: info.position)
    return found
