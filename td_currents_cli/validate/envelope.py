"""The five members that every event has: `event_type`, `id`, `time`, `user`, `properties` (Braze Currents over HTTP)."""

from collections.abc import Iterator
from typing import Any, Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Severity
from td_currents_cli.validate.finding import Finding
from td_currents_cli.validate.types import name_of

NO_USER_ID_HINT: Final = "Braze's Treasure Data export sends no event for such a user; its custom HTTP export does."


def check_envelope(event: dict[str, Any], *, time_may_be_text: bool) -> Iterator[Finding]:
    """Remarks on the five members.

    Args:
        event: as decoded.
        time_may_be_text: the catalogue has `time` of this event type as a string.
    """
    yield from _text(event, "event_type", Code.EVENT_TYPE_MISSING, Code.EVENT_TYPE_INVALID)
    yield from _text(event, "id", Code.ID_MISSING, Code.ID_INVALID)
    yield from _time(event, time_may_be_text=time_may_be_text)
    yield from _object(event, "user", Code.USER_MISSING, Code.USER_INVALID)
    yield from _object(event, "properties", Code.PROPERTIES_MISSING, Code.PROPERTIES_INVALID)
    user = event.get("user")
    if isinstance(user, dict) and user.get("external_user_id") in (None, ""):
        yield Finding(
            Code.NO_EXTERNAL_USER_ID,
            Severity.WARNING,
            ("user",),
            "the user has no `external_user_id`",
            NO_USER_ID_HINT,
        )


def _text(event: dict[str, Any], name: str, missing: Code, invalid: Code) -> Iterator[Finding]:
    value = event.get(name)
    if value is None:
        yield _error(missing, (), f"`{name}` is missing")
    elif not isinstance(value, str):
        yield _error(invalid, (name,), f"`{name}` should be a text, found {name_of(value)}")
    elif not value:
        yield _error(invalid, (name,), f"`{name}` is empty")


def _time(event: dict[str, Any], *, time_may_be_text: bool) -> Iterator[Finding]:
    value = event.get("time")
    if value is None:
        yield _error(Code.TIME_MISSING, (), "`time` is missing")
    elif isinstance(value, bool) or not isinstance(value, int):
        if not (time_may_be_text and isinstance(value, str)):
            yield _error(
                Code.TIME_INVALID,
                ("time",),
                f"`time` should be an integer, found {name_of(value)}",
                "`time` is UNIX time in whole seconds, UTC.",
            )


def _object(event: dict[str, Any], name: str, missing: Code, invalid: Code) -> Iterator[Finding]:
    value = event.get(name)
    if value is None:
        yield _error(missing, (), f"`{name}` is missing")
    elif not isinstance(value, dict):
        yield _error(invalid, (name,), f"`{name}` should be an object, found {name_of(value)}")


def _error(code: Code, path: tuple[str, ...], message: str, hint: str = "") -> Finding:
    return Finding(code, Severity.ERROR, path, message, hint)
