"""The five members that every event has over HTTP: `event_type`, `id`, `time`, `user`, `properties`."""

from collections.abc import Iterator, Mapping
from typing import Any

from td_currents_cli.braze import EVENT_FIELDS
from td_currents_cli.codes import Code
from td_currents_cli.validate.finding import Finding
from td_currents_cli.validate.limits import EARLIEST, MILLISECONDS
from td_currents_cli.validate.types import kind_of, shown


def check_envelope(event: Mapping[str, Any], *, time_may_be_text: bool, latest: int) -> Iterator[Finding]:
    """Remarks on the five members, and on others beside them.

    Args:
        event: as decoded.
        time_may_be_text: the catalogue has `time` of this event type as a string.
        latest: UNIX seconds after which a `time` is in the future.
    """
    yield from _text(event, "event_type", Code.EVENT_TYPE_MISSING, Code.EVENT_TYPE_INVALID)
    yield from _text(event, "id", Code.ID_MISSING, Code.ID_INVALID)
    if not (time_may_be_text and isinstance(event.get("time"), str)):
        yield from _time(event.get("time"), latest)
    yield from _object(event, "user", Code.USER_MISSING, Code.USER_INVALID)
    yield from _object(event, "properties", Code.PROPERTIES_MISSING, Code.PROPERTIES_INVALID)
    for name in event:
        if name not in EVENT_FIELDS:
            yield Finding(Code.UNKNOWN_MEMBER, (name,), f"unknown key `{shown(name)}` beside the five", at_name=True)


def _text(event: Mapping[str, Any], name: str, missing: Code, invalid: Code) -> Iterator[Finding]:
    value = event.get(name)
    if value is None:
        yield Finding(missing, (), f"`{name}` is missing")
    elif not isinstance(value, str):
        yield Finding(invalid, (name,), f"`{name}` should be a text, found {kind_of(value)}")
    elif not value:
        yield Finding(invalid, (name,), f"`{name}` is empty")


def _time(value: object, latest: int) -> Iterator[Finding]:
    path = ("time",)
    if value is None:
        yield Finding(Code.TIME_MISSING, (), "`time` is missing")
    elif isinstance(value, str):
        yield Finding(Code.TIME_AS_TEXT, path, "`time` should be an integer, found a text")
    elif isinstance(value, float):
        yield Finding(Code.TIME_AS_FLOAT, path, f"`time` should be an integer, found {kind_of(value)}")
    elif isinstance(value, bool) or not isinstance(value, int):
        yield Finding(Code.TIME_INVALID, path, f"`time` should be an integer, found {kind_of(value)}")
    elif value < 0:
        yield Finding(Code.TIME_INVALID, path, "`time` is negative")
    elif value >= MILLISECONDS:
        yield Finding(Code.TIME_IN_MILLISECONDS, path, "`time` is in milliseconds, not in seconds")
    elif value > latest:
        yield Finding(Code.TIME_IN_FUTURE, path, "`time` is in the future")
    elif value < EARLIEST:
        yield Finding(Code.TIME_TOO_OLD, path, "`time` is before 2011")


def _object(event: Mapping[str, Any], name: str, missing: Code, invalid: Code) -> Iterator[Finding]:
    value = event.get(name)
    if value is None:
        yield Finding(missing, (), f"`{name}` is missing")
    elif not isinstance(value, dict):
        yield Finding(invalid, (name,), f"`{name}` should be an object, found {kind_of(value)}")
