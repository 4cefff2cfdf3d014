"""Secrets: values that are never printed, and redacted URLs."""

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from td_currents_cli.errors import UsageError

KEY_PARAMETER: Final = "td_write_key"
_HIDDEN: Final = "***"
_LONGEST: Final = 4096


class Secret:
    """A write key or a token. Only `reveal` returns it; str, repr and tracebacks show nothing of it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def redact(url: str) -> str:
    """Return the URL without anything that may be secret: user name and password, query values, and fragment.

    All query values, not only the write key: custom endpoints have keys under names of their own.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    user_info, at, host = parts.netloc.rpartition("@")
    query = "&".join(_redact_parameter(parameter) for parameter in parts.query.split("&")) if parts.query else ""
    return parts._replace(
        netloc=f"{_HIDDEN}{at}{host}" if user_info else host, query=query, fragment=_HIDDEN if parts.fragment else ""
    ).geturl()


def _redact_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    return f"{unquote(name)}={_HIDDEN}" if value else _HIDDEN if not equals else parameter


def read_secret(path: str, what: str) -> Secret:
    """Return the secret on the only line of a file; `what` is its name in messages, such as "write key"."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LONGEST + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the {what} file {path}: {error.strerror}",
            hint=f"Give the path of a file that contains only the {what}.",
        ) from None
    return checked(text.decode(errors="replace"), f"the {what} in {path}")


def checked(text: str, what: str) -> Secret:
    """Return a secret that can be sent in a header; `what` is its name in messages."""
    value = text.strip()
    if not value:
        raise UsageError(f"{what} is empty")
    if len(value) > _LONGEST or not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError(f"{what} must be one line of printable ASCII without spaces", hint="Remove everything else.")
    return Secret(value)
