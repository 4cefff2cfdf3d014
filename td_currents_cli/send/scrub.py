"""What others say, as it may be kept: an endpoint's answer may repeat the key, the URL, or what it was sent."""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from td_currents_cli.secret import Secret
from td_currents_cli.send.endpoint import Endpoint

_HIDDEN: Final = "***"
_SHORTEST: Final = 8
"""Characters of the part of a secret that gives something away."""
_LONGEST: Final = 400
"""Characters of what the two patterns below find, at most, but for the digits of an account."""
_ADDRESS: Final = re.compile(r"[^\s@\"'<>(),;:=]{1,64}(?:@|%40|\\u0040)[\w.-]{1,255}")
_KEY: Final = re.compile(r"\b\d+(?:/|%2[fF]|\\/)[0-9a-fA-F]{40}\b")

Scrub: TypeAlias = Callable[[str, bool], str]
"""Takes a text, and whether it goes on beyond its end; gives back what of it may be kept."""


def scrubber(endpoint: Endpoint) -> Scrub:
    """A function that leaves out of a text what proves who we are, and what looks like a write key or an address.

    Of a text that is cut, it also leaves out the end, as far as it may be the beginning of one of these.
    """
    hidden = sorted(set(_parts(endpoint)), key=len, reverse=True)
    secrets = re.compile("|".join(map(re.escape, hidden)), re.IGNORECASE) if hidden else None
    longest = max(_LONGEST, *map(len, hidden), 0)

    def scrub(text: str, is_cut: bool) -> str:  # noqa: FBT001 -- of a type that has no names
        if secrets is not None:
            text = secrets.sub(_HIDDEN, text)
        text = _ADDRESS.sub(_HIDDEN, _KEY.sub(_HIDDEN, text))
        # After the search: what stands before the end is whole, and found.
        return text[:-longest] if is_cut else text

    return scrub


def _parts(endpoint: Endpoint) -> Iterator[str]:
    values = [secret.reveal() for secret in (endpoint.write_key, endpoint.token) if isinstance(secret, Secret)]
    for parameter in urlsplit(endpoint.url.reveal()).query.split("&"):
        _, _, value = parameter.partition("=")
        values += [value, unquote(value)]
    for value in values:
        for part in (value, quote(value, safe=""), value.replace("/", "\\/"), *value.split("/")):
            if len(part) >= _SHORTEST:
                yield part
