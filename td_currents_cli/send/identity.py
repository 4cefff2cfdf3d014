"""What a journal tells endpoints from each other by. Nothing of it can be had back: it is digests."""

from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import urlsplit

from td_currents_cli.send.endpoint import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Where, and as whom.

    Treasure Data tells accounts apart by the write key alone, and answers 200 to a wrong one: what was delivered with
    another key has to be sent again.

    Attributes:
        url: of the URL, without a write key.
        credential: of the write key or the token; None for the last one that was used there.
    """

    url: bytes
    credential: bytes | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> "Identity":
        """The identity of an endpoint, and of the credential that is at hand for it."""
        secret = endpoint.write_key or endpoint.token
        parts = urlsplit(endpoint.url.reveal())
        # Upper case in the name of a host means nothing.
        url = parts._replace(netloc=parts.netloc.lower()).geturl()
        return cls(url=_digest(url), credential=_digest(secret.reveal() if secret else ""))


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
