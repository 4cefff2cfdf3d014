"""How the journal recognizes endpoints and what they were delivered: by digests, which reveal nothing of the content.

A document that was sent whole is known by the digest of its bytes. An event that was sent in any other way (bare,
packed, in a part of a split document, from a dead letter) is known by the digest of its own. So what was delivered is
recognized when the same command runs again, also with other limits.

An event that was made of a record of Braze's export is known by the digest of its id and type: another version of tdcur
may write it in another way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.secrets import Secret

# Bytes of a key: a letter for its kind, and 128 bits of digest. The keys of one request are concatenated.
KEY_SIZE: Final = 17

DOCUMENT: Final = b"s"
EVENT: Final = b"e"
NAMED_EVENT: Final = b"n"
OLDER_DOCUMENT: Final = b"d"  # kind of documents in journals of earlier versions, which used BLAKE2 for them, too

_DIGEST_SIZE: Final = KEY_SIZE - 1


def document_key(data: bytes) -> bytes:
    """Return the key of a document that is sent whole.

    By SHA-256, for which processors have instructions: a document of 97 kB takes half of the time of BLAKE2.
    """
    return DOCUMENT + sha256(data, usedforsecurity=False).digest()[:_DIGEST_SIZE]


def older_document_key(data: bytes) -> bytes:
    """Return the key that earlier versions gave a document."""
    return OLDER_DOCUMENT + _digest(data)


def event_keys(events: Iterable[bytes]) -> bytes:
    """Return the keys of events, concatenated."""
    return b"".join([EVENT + _digest(on_one_line(event)) for event in events])


def named_event_key(event_id: str, event_type: str) -> bytes:
    """Return the key of an event of Braze's export."""
    return NAMED_EVENT + _digest(f"{event_type}\0{event_id}".encode())


def split_keys(keys: bytes) -> list[bytes]:
    return [keys[start : start + KEY_SIZE] for start in range(0, len(keys), KEY_SIZE)]


def on_one_line(event: bytes) -> bytes:
    """Return an event as a line of JSON Lines: line breaks, which JSON has only between tokens, become spaces."""
    return event.replace(b"\n", b" ").replace(b"\r", b" ")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointIdentity:
    """Digests that tell endpoints apart; a URL or a key cannot be recovered from them.

    Treasure Data tells accounts apart by the write key alone, and responds with 200 to a wrong one: what was delivered
    with another key has to be sent again.
    """

    url: bytes  # of the URL without a write key
    credential: bytes | None  # of the write key or token; None for the latest one that was used with the URL

    @classmethod
    def of(cls, url: str, credential: Secret | None) -> "EndpointIdentity":
        parts = urlsplit(url)
        # Upper case in a host name has no meaning.
        url = parts._replace(netloc=parts.netloc.lower()).geturl()
        return cls(url=_digest(url.encode()), credential=_digest((credential.reveal() if credential else "").encode()))


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_SIZE).digest()
