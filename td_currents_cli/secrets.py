"""Secrets: values that are never printed, and the masking of what looks like one, wherever it was put by mistake."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern

KEY_PARAMETER: Final = "td_write_key"
_HIDDEN: Final = "***"
_LONGEST: Final = 4096


def _encoded(characters: str) -> str:
    """Return a pattern for one of these characters, percent-encoded any number of times or not at all."""
    return "(?:" + "|".join(f"{re.escape(each)}|%(?:25)*{ord(each):02x}" for each in characters) + ")"


@cache
def _secret_pattern() -> re.Pattern[str]:
    name = "".join(_encoded("_-" if each == "_" else each) for each in KEY_PARAMETER)
    return re.compile(
        # The value of td_write_key in a URL, a header, or JSON. `$` begins a variable of a shell, and `any` is what
        # `serve` shows.
        rf"((?:{name}(?:{_encoded('=')}|[\"']\s*:\s*[\"'])|x-td-write-key\s*:\s*)[\"']?)"
        r"(?!\*\*\*|\$|any\s)[^\s&\"'<>]+"
        # A token: one word with a digit, so that a sentence about Bearer tokens stays as it is.
        r"|(\b(?:bearer|td1|basic)\s+)(?=[^\s\"']*\d)[\w.~+/=-]{6,}"
        # A write key or an API key of Treasure Data.
        rf"|\d{{1,20}}(?:\\?/|\\u002f|{_encoded('/:')})[\da-f]{{40}}(?![\da-f])"
        # A JSON Web Token.
        r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?",
        re.IGNORECASE | re.ASCII,
    )


_SIGNS: Final = ("write", "bearer", "td1", "basic", "eyj")
"""One of these, an encoded character, or 40 hexadecimal digits are in everything that is masked."""

_HEX: Final = pattern(r"[0-9a-fA-F]{40}")
_ENCODED_OR_HEX: Final = pattern(rf"%[0-9a-fA-F]{{2}}|{_HEX.pattern}")
_MAY_BE_SECRET: Final = pattern(r"(?=.*\d)(?=.*[a-zA-Z])[\w+=.~-]{12,}")
_FILE_ENDING: Final = pattern(r".\.\w{1,5}")


def mask(text: str) -> str:
    """Replace whatever looks like a write key, an API key or a token by `***`."""
    lowered = text.lower()
    if not any(each in lowered for each in _SIGNS) and not _ENCODED_OR_HEX.search(text):
        return text
    return _secret_pattern().sub(lambda found: f"{found[1] or found[2] or ''}{_HIDDEN}", text)


class MaskedOutput(TextIOWrapper):
    """A standard stream that masks the strings that are written to it, but not bytes."""

    def write(self, text: str, /) -> int:
        super().write(mask(text))
        return len(text)


def masked(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """Return a JSON value with all its strings and names masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {mask(name): masked(field) for name, field in value.items()}
    return [masked(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A write key or a token. Only `reveal` returns it; str, repr and tracebacks show nothing of it."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN})"


def redact(url: str) -> str:
    """Return the URL without anything that may be secret: user name and password, query values, and fragment.

    All query values, not only the write key: custom endpoints have keys under names of their own. In the path, whatever
    may be a key or the second half of one.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    user_info, at, host = parts.netloc.rpartition("@")
    query = "&".join(_redact_parameter(parameter) for parameter in parts.query.split("&")) if parts.query else ""
    shown = parts._replace(
        netloc=f"{_HIDDEN}{at}{host}" if user_info else host,
        path=_HEX.sub(_HIDDEN, mask(parts.path)),
        query=query,
        fragment=_HIDDEN if parts.fragment else "",
    )
    return mask(shown.geturl())


def _redact_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    return f"{unquote(name)}={_HIDDEN}" if value else _HIDDEN if not equals else parameter


def read_secret(path: str, what: str) -> Secret:
    """Return the secret on the only line of a file; `what` is its name in messages, such as "write key"."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        hint = f"Give the path of a file that contains only the {what}."
        if _looks_secret(path):
            raise UsageError(
                f"cannot read the {what} file: {reason}; that looks like the {what} itself", hint=hint
            ) from None
        raise UsageError(f"cannot read the {what} file {path}: {reason}", hint=hint) from None
    return checked(text.decode(errors="replace"), f"the {what} in {path}")


def _looks_secret(path: str) -> bool:
    if mask(path) != path or _HEX.search(path):
        return True
    return _MAY_BE_SECRET.fullmatch(path) is not None and _FILE_ENDING.search(path[-7:]) is None


def checked(text: str, what: str) -> Secret:
    """Return a secret that can be sent in a header; `what` is its name in messages."""
    value = text.strip()
    if not value:
        raise UsageError(f"{what} is empty")
    if len(value) > _LONGEST or not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError(f"{what} must be one line of printable ASCII without spaces", hint="Remove everything else.")
    return Secret(value)
