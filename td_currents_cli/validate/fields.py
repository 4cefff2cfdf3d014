"""The members of `user` and `properties` against the catalogue."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from td_currents_cli import catalog
from td_currents_cli.catalog import EventType, Where
from td_currents_cli.codes import Code
from td_currents_cli.model import Severity
from td_currents_cli.validate.finding import Finding
from td_currents_cli.validate.types import EXPECTED, IS_TYPE, name_of

PLACES: Final = (Where.USER, Where.PROPERTIES)


def check_event_type(name: str) -> Iterator[Finding]:
    """A remark on a type the catalogue does not know: Braze adds types at any time, so it is never an error."""
    if catalog.load().get(name) is None:
        near = _near_type(name)
        yield Finding(
            Code.UNKNOWN_EVENT_TYPE,
            Severity.WARNING,
            ("event_type",),
            f"unknown event type `{name}`",
            f"did you mean `{near}`?" if near else "",
        )


def check_fields(event: dict[str, Any], event_type: EventType) -> Iterator[Finding]:
    """Remarks on missing, mistyped and unknown members."""
    yield from _missing(event, event_type)
    for place in PLACES:
        members = event.get(place)
        for name, value in members.items() if isinstance(members, dict) else ():
            yield from _member(event_type, place, name, value)


def _missing(event: dict[str, Any], event_type: EventType) -> Iterator[Finding]:
    for field in event_type.required:
        members = event.get(field.where)
        if field.where in PLACES and isinstance(members, dict) and not field.storage_only:
            if members.get(field.name) is None:
                state = "is null" if field.name in members else "is missing"
                message = f"required field `{field.where}.{field.name}` {state}"
                yield Finding(Code.FIELD_MISSING, Severity.ERROR, (field.where.value,), message)


def _member(event_type: EventType, place: Where, name: str, value: object) -> Iterator[Finding]:
    path = (place.value, name)
    field = event_type.field(name, place)
    if field is None:
        near = _near_field(event_type.name, place, name)
        yield Finding(
            Code.UNKNOWN_FIELD,
            Severity.WARNING,
            path,
            f"unknown field `{place}.{name}`",
            f"did you mean `{near}`?" if near else "",
            at_name=True,
        )
    elif value is not None and not IS_TYPE[field.type](value):
        message = f"`{place}.{name}` should be {EXPECTED[field.type]}, found {name_of(value)}"
        yield Finding(Code.FIELD_TYPE, Severity.ERROR, path, message)


@lru_cache(maxsize=4096)
def _near_type(name: str) -> str | None:
    return catalog.load().suggest(name)


@lru_cache(maxsize=4096)
def _near_field(event_type: str, place: Where, name: str) -> str | None:
    return catalog.load().events[event_type].suggest_field(name, place)
