"""Responses without secrets: an endpoint may repeat the key, the URL, or what it was sent."""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from td_currents_cli.secrets import Secret
from td_currents_cli.send.endpoint import Endpoint

_HIDDEN: Final = "***"
_SHORTEST: Final = 8  # minimum characters of a part of a secret that is worth hiding
_LONGEST: Final = 400  # maximum characters of what the two patterns below find, except for the digits of an account
_EMAIL_PATTERN: Final = re.compile(r"[^\s@\"'<>(),;:=]{1,64}(?:@|%40|\\u0040)[\w.-]{1,255}")
_KEY_PATTERN: Final = re.compile(r"\b\d+(?:/|%2[fF]|\\/)[0-9a-fA-F]{40}\b")

Scrub: TypeAlias = Callable[[str, bool], str]  # takes a text, and whether it was cut; returns what of it may be kept


def scrubber(endpoint: Endpoint) -> Scrub:
    """Return a function that hides credentials, and what looks like a write key or an email address.

    It also removes the end of a text that was cut, as far as it may be the beginning of one of these.
    """
    hidden = sorted(set(_secret_parts(endpoint)), key=len, reverse=True)
    secrets = re.compile("|".join(map(re.escape, hidden)), re.IGNORECASE) if hidden else None
    longest = max(_LONGEST, *map(len, hidden), 0)

    def scrub(text: str, is_cut: bool) -> str:  # noqa: FBT001 -- of a type that has no names
        if secrets is not None:
            text = secrets.sub(_HIDDEN, text)
        text = _EMAIL_PATTERN.sub(_HIDDEN, _KEY_PATTERN.sub(_HIDDEN, text))
        # After the search: what is before the end is complete, and found.
        return text[:-longest] if is_cut else text

    return scrub


def _secret_parts(endpoint: Endpoint) -> Iterator[str]:
    values = [secret.reveal() for secret in (endpoint.write_key, endpoint.token) if isinstance(secret, Secret)]
    for parameter in urlsplit(endpoint.url.reveal()).query.split("&"):
        _, _, value = parameter.partition("=")
        values += [value, unquote(value)]
    for value in values:
        for part in (value, quote(value, safe=""), value.replace("/", "\\/"), *value.split("/")):
            if len(part) >= _SHORTEST:
                yield part
