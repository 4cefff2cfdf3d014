"""What of the input is not sent: what earlier runs delivered, and what the rules say no endpoint should be given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from td_currents_cli.journal.keys import KEY_SIZE, document_key, event_keys, older_document_key
from td_currents_cli.model import Problem
from td_currents_cli.send.sent_events import packed_fields
from td_currents_cli.send.whole import Kept, Whole, whole_of


class Check(Protocol):
    """The rules, as far as sending asks for them. The command line brings those of `validate`."""

    def kept_if_sound(self, document: bytes) -> Sequence[Kept] | None:
        """What a journal keeps of the events of a payload document that surely has no errors.

        None where that takes a closer look: ask `errors_of`.
        """

    def errors_of(self, event: bytes) -> Sequence[Problem]:
        """The errors of one event, without its warnings; places and pointers count from its beginning."""


class Ledger(Protocol):
    """What earlier runs delivered: `journal.Journal`."""

    knows_documents: bool
    knows_older_documents: bool
    knows_events: bool

    def take(self, keys: bytes) -> frozenset[int]:
        """Which of these were delivered, by their places; each delivery is given once."""


class _Blank:
    """The ledger of a run that looks at none."""

    knows_documents = False
    knows_older_documents = False
    knows_events = False

    def take(self, _keys: bytes) -> frozenset[int]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class Sifted:
    """Events of a batch that are not sent, by their places from 0.

    Attributes:
        delivered: those that earlier runs delivered.
        refused: the errors of those that are not fit to be sent.
    """

    delivered: frozenset[int] = frozenset()
    refused: Mapping[int, Sequence[Problem]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.delivered or self.refused)


class Sieve:
    """Holds back what is not to be sent.

    Args:
        ledger: what earlier runs delivered; None to send it again.
        check: the rules; None to send whatever there is.
        has_journal: whether what is delivered will be noted, so that keys are wanted.
    """

    def __init__(self, *, ledger: Ledger | None = None, check: Check | None = None, has_journal: bool = False) -> None:
        self._ledger = ledger or _Blank()
        self._check = check
        self._has_journal = has_journal

    def whole_of(self, document: bytes) -> Whole | None:
        """What is in a well-formed payload document; None for anything else.

        Where the rules will have to be asked in any case, their reading is the only one.
        """
        ledger = self._ledger
        if self._check is None or ledger.knows_documents or ledger.knows_older_documents or ledger.knows_events:
            return whole_of(document)
        kept = self._check.kept_if_sound(document)
        if kept is not None:
            return Whole(len(kept), kept, is_sound=True)
        whole = whole_of(document)
        return None if whole is None else Whole(whole.count, whole.kept, is_sound=False)

    def document_key(self, document: bytes) -> bytes:
        """What the journal will know a document by that is sent whole; empty without a journal."""
        return document_key(document) if self._has_journal else b""

    def kept_of(self, whole: Whole) -> bytes:
        """What it will keep of the events of such a document; empty without a journal, or where they are odd."""
        return packed_fields(whole.kept) if self._has_journal and whole.kept is not None else b""

    def event_keys(self, events: Sequence[bytes]) -> list[bytes]:
        """What it will know each of these events by; empty ones without a journal."""
        if not self._has_journal:
            return [b""] * len(events)
        keys = event_keys(events)
        return [keys[begin : begin + KEY_SIZE] for begin in range(0, len(keys), KEY_SIZE)]

    def has_delivered(self, document: bytes, key: bytes) -> bool:
        """Whether an earlier run delivered this document whole, `key` being its `document_key`."""
        if self._ledger.knows_documents and self._ledger.take(key):
            return True
        return self._ledger.knows_older_documents and bool(self._ledger.take(older_document_key(document)))

    def passes(self, document: bytes, whole: Whole) -> bool:
        """Whether all events of a document go out, as far as that can be told without looking at each of them."""
        return not self._ledger.knows_events and self._is_sound(document, whole)

    def sift(self, document: bytes, whole: Whole | None, events: Sequence[bytes], keys: Sequence[bytes]) -> Sifted:
        """Which of these events of a document are not sent."""
        delivered = self._ledger.take(b"".join(keys)) if self._ledger.knows_events else frozenset()
        if whole is not None and self._is_sound(document, whole):
            return Sifted(delivered)
        return Sifted(delivered, self._refused(events, delivered))

    def _is_sound(self, document: bytes, whole: Whole) -> bool:
        if self._check is None:
            return True
        return self._check.kept_if_sound(document) is not None if whole.is_sound is None else whole.is_sound

    def _refused(self, events: Sequence[bytes], delivered: frozenset[int]) -> Mapping[int, Sequence[Problem]]:
        if self._check is None:
            return {}
        return {
            place: errors
            for place, event in enumerate(events)
            if place not in delivered and (errors := self._check.errors_of(event))
        }
