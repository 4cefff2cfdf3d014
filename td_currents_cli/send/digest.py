"""How a journal knows what was delivered: by digests, which tell nothing of the content.

A document that went out whole is known by the digest of its bytes. An event that went out in any other way (bare,
packed, in a part of a split document, from a dead letter) is known by the digest of its own. So what was delivered is
known again when the same command runs, also with other limits.
"""

from collections.abc import Iterable
from hashlib import blake2b, sha256
from typing import Final

KEY_SIZE: Final = 17
"""Bytes of a key: a letter for its kind, and 128 bits of digest. Keys of one request stand one after another."""

DOCUMENT: Final = b"s"
EVENT: Final = b"e"
OLDER_DOCUMENT: Final = b"d"
"""Of documents in journals whose runs used BLAKE2 for them, too."""

_SIZE: Final = KEY_SIZE - 1


def document_key(data: bytes) -> bytes:
    """The key of a document that is sent whole.

    By SHA-256, for which processors have instructions: a document of 97 kB takes half of the time of BLAKE2.
    """
    return DOCUMENT + sha256(data, usedforsecurity=False).digest()[:_SIZE]


def older_document_key(data: bytes) -> bytes:
    """The key that earlier versions gave it."""
    return OLDER_DOCUMENT + _digest(data)


def event_keys(events: Iterable[bytes]) -> bytes:
    """The keys of events, one after another."""
    return b"".join([EVENT + _digest(on_one_line(event)) for event in events])


def parts(keys: bytes) -> list[bytes]:
    """Keys that stand one after another, each by itself."""
    return [keys[begin : begin + KEY_SIZE] for begin in range(0, len(keys), KEY_SIZE)]


def on_one_line(event: bytes) -> bytes:
    """An event as it stands in a line of JSON Lines: line breaks, which JSON has only between tokens, are spaces."""
    if b"\n" in event or b"\r" in event:
        return event.replace(b"\n", b" ").replace(b"\r", b" ")
    return event


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_SIZE).digest()
