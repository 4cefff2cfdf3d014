"""Write keys: those of requests, and that of this endpoint."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.receiver.refusal import HttpError
from td_currents_cli.receiver.settings import PostbackApi

VARIABLE: Final = "TD_WRITE_KEY"

_PARAMETER: Final = "td_write_key"
# Any character of the name, and the equals sign, may be percent-encoded; the key ends at `&`.
_SHOWN_KEY: Final = re.compile(
    "(" + "".join(f"(?:{re.escape(c)}|%{ord(c):02x})" for c in _PARAMETER) + r"(?:=|%3d))[^&]*", re.IGNORECASE
)


def presented_key(headers: Mapping[bytes, bytes], query: bytes, api: PostbackApi) -> bytes:
    """Find the key of a request, without checking it.

    v1: `X-TD-Write-Key`, else `?td_write_key=`. v2: `Authorization: TD1`, else `X-TD-Write-Key`; a key in the URL is
    always rejected. [U] Treasure Data documents neither the status for a URL key on v2 nor for a missing key: 403 is
    its documented status for wrong credentials, and makes Braze stop until a person acts; 400 would make it drop the
    events.

    Raises:
        HttpError: 403, there is no acceptable key.
    """
    in_url = _key_in(query)
    if api is PostbackApi.v2:
        if in_url is not None:
            raise HttpError(403, "v2 does not accept a write key in the URL")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        # [U] Another scheme (Braze can send Bearer) is ignored.
        key = token.strip() if scheme.upper() == b"TD1" else b""
        key = key or headers.get(b"x-td-write-key", b"").strip()
    else:
        key = headers.get(b"x-td-write-key", b"").strip() or (in_url or b"")
    if not key:
        raise HttpError(403, f"no write key: {_WHERE[api]}")
    return key


_WHERE: Final = {
    PostbackApi.v1: "v1 expects it as X-TD-Write-Key or td_write_key",
    PostbackApi.v2: "v2 expects it as Authorization: TD1 or X-TD-Write-Key",
}


def _key_in(query: bytes) -> bytes | None:
    if not query:
        return None
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True).get(_PARAMETER)
    return None if values is None else values[0].encode()


def without_key(target: str) -> str:
    """Replace the write key in a path and query by `***`."""
    return _SHOWN_KEY.sub(r"\1***", target)


def expected_key(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """Read the key whose rows are stored, from the file, or else the environment. None: any key.

    Raises:
        InputError: the file cannot be read.
        UsageError: the file does not contain exactly one key.
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
        # The message says nothing about the content of a secret file.
        raise UsageError(
            f"the write key file {file} does not contain one write key",
            hint="The file must contain only the key, on one line.",
        )
    return words[0]
