"""What is different between the two sides, while they are compared."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct, field

from td_currents_cli.reconcile.content import UNKNOWN
from td_currents_cli.reconcile.marks import Earliest, Marks
from td_currents_cli.reconcile.request import Kind
from td_currents_cli.reconcile.shelf import Trait
from td_currents_cli.reconcile.suspects import Suspects


class Group(Struct):
    """Ids of one kind of difference and one type.

    Attributes:
        count: how many.
        first: the earliest of their times in UNIX seconds; None when none has a usable one.
        last: the latest of their times.
    """

    count: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, seconds: int | None) -> None:
        """Count an id, given the time of its event."""
        self.count += 1
        if seconds is not None:
            self.first = seconds if self.first is None else min(self.first, seconds)
            self.last = seconds if self.last is None else max(self.last, seconds)


class Repeats(Struct):
    """Ids that a side has more than once.

    Attributes:
        by_type: events beyond the first of their id.
        times: how many ids it has how often.
    """

    by_type: Counter[str | None] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)

    def add(self, traits: Sequence[Trait]) -> None:
        """Count the events of an id."""
        self.by_type.update(trait.event_type for trait in traits[1:])
        if len(traits) > 1:
            self.times[len(traits)] += 1


class Differences:
    """Takes what a comparison finds.

    Attributes:
        sent: ids that were sent.
        ingested: ids that were ingested.
        both: ids that were sent and ingested.
        groups: of each kind of difference, the ids by type.
        missing: places of the missing events on the sent side.
        examples: places of the first ids of the other kinds, on the ingested side.
        suspects: ids whose contents are not the same.
        unknown: ids on both sides that have a content with nothing to compare it with.
        sent_repeats: ids that were sent more than once, which is no difference: Braze delivers at least once.
        ingested_repeats: ids that were ingested more than once.
    """

    def __init__(self, places: int, show: int) -> None:
        """Nothing is different yet.

        Args:
            places: events on the sent side.
            show: examples of each kind.
        """
        self.sent = self.ingested = self.both = self.unknown = 0
        self.groups: dict[Kind, dict[str | None, Group]] = {kind: {} for kind in Kind}
        self.missing = Marks(places)
        self.examples = {kind: Earliest(show) for kind in Kind}
        self.suspects = Suspects()
        self.sent_repeats = Repeats()
        self.ingested_repeats = Repeats()

    def count(self, *, sent: int, ingested: int, both: int) -> None:
        """Count ids."""
        self.sent += sent
        self.ingested += ingested
        self.both += both

    def add(self, digest: bytes, sent: Sequence[Trait], ingested: Sequence[Trait], *, by_content: bool) -> None:
        """Look at an id that there is something to say of.

        Args:
            digest: of the id.
            sent: its events on the sent side, in their order.
            ingested: those on the other side.
            by_content: whether contents are known at all. Where an id was sent with several, each of them is as it was
                sent.
        """
        self.sent_repeats.add(sent)
        self.ingested_repeats.add(ingested)
        if not ingested:
            self._note(Kind.MISSING, sent[0], sent[0], digest)
            self.missing.add(sent[0].place, digest)
        elif not sent:
            self._note(Kind.UNEXPECTED, ingested[0], ingested[0], digest)
        elif by_content:
            self._compare(digest, sent, ingested)
        if len(ingested) > 1:
            self._note(Kind.DUPLICATED, (sent or ingested)[0], ingested[0], digest)

    def settle(self, closer: "Differences") -> None:
        """Take from a closer look which ids have changed."""
        self.groups[Kind.CHANGED] = closer.groups[Kind.CHANGED]
        self.examples[Kind.CHANGED] = closer.examples[Kind.CHANGED]

    def _compare(self, digest: bytes, sent: Sequence[Trait], ingested: Sequence[Trait]) -> None:
        known, found = {trait.content for trait in sent}, {trait.content for trait in ingested}
        strange = found - known - {UNKNOWN}
        if strange and UNKNOWN not in known:
            self._note(Kind.CHANGED, sent[0], ingested[0], digest)
            self.suspects.add(digest)
        elif strange or UNKNOWN in found:
            self.unknown += 1

    def _note(self, kind: Kind, trait: Trait, example: Trait, digest: bytes) -> None:
        self.groups[kind].setdefault(trait.event_type, Group()).add(trait.seconds)
        self.examples[kind].add(example.place, digest)
