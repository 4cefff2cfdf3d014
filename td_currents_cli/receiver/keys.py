"""Write keys: where a request carries one, and where this endpoint's own comes from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.receiver.refusal import HttpError
from td_currents_cli.receiver.settings import PostbackApi

VARIABLE: Final = "TD_WRITE_KEY"
"""Environment variable that holds a write key."""

_PARAMETER: Final = "td_write_key"
# Any character of the name, and the equals sign, may be percent-encoded; what follows an `&` is not the key.
_SHOWN_KEY: Final = re.compile(
    "(" + "".join(f"(?:{re.escape(c)}|%{ord(c):02x})" for c in _PARAMETER) + r"(?:=|%3d))[^&]*", re.IGNORECASE
)


def presented_key(headers: Mapping[bytes, bytes], query: bytes, api: PostbackApi) -> bytes:
    """The key that counts of those a request carries, unchecked.

    v1: `X-TD-Write-Key`, else `?td_write_key=`. v2: `Authorization: TD1`, else `X-TD-Write-Key`; a key in the URL is
    refused, whatever the headers say. [U] Treasure Data documents neither the status for a URL key on v2 nor for no
    key at all: 403 is its documented answer to wrong credentials, and makes Braze stop and wait for a person,
    where 400 would make it drop the events.

    Raises:
        Refusal: 403, no key where one may be.
    """
    in_url = _key_in(query)
    if api is PostbackApi.v2:
        if in_url is not None:
            raise HttpError(403, "v2 refuses a write key in the URL")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        # [U] Another scheme (Braze can send Bearer) is taken as none.
        key = token.strip() if scheme.upper() == b"TD1" else b""
        key = key or headers.get(b"x-td-write-key", b"").strip()
    else:
        key = headers.get(b"x-td-write-key", b"").strip() or (in_url or b"")
    if not key:
        raise HttpError(403, f"no write key: {_PLACES[api]}")
    return key


_PLACES: Final = {
    PostbackApi.v1: "v1 takes it as X-TD-Write-Key or td_write_key",
    PostbackApi.v2: "v2 takes it as Authorization: TD1 or X-TD-Write-Key",
}


def _key_in(query: bytes) -> bytes | None:
    if not query:
        return None
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True).get(_PARAMETER)
    return None if values is None else values[0].encode()


def without_key(target: str) -> str:
    """A request's path and query as it may be shown: a write key in it is `***`."""
    return _SHOWN_KEY.sub(r"\1***", target)


def expected_key(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """The key whose rows are stored: the file's, else that of the environment, else None for any key.

    Raises:
        InputError: the file cannot be read.
        UsageError: the file does not hold exactly one key.
    """
    if file is None:
        return environment.get(VARIABLE, "").strip() or None
    try:
        words = file.read_text("utf-8").split()
    except UnicodeDecodeError:
        words = []
    except OSError as error:
        raise InputError(f"cannot read the write key file {file}: {error.strerror}") from error
    if len(words) != 1:
        # Not how many: nothing of what a secret's file holds is said.
        raise UsageError(
            f"the write key file {file} does not hold one write key", hint="it holds the key on one line, nothing else"
        )
    return words[0]
