"""Effects of an event on Treasure Data, and on the way there from Braze."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from td_currents_cli.braze import EMPTY_PAYLOAD, MAX_BYTES
from td_currents_cli.catalog import EventType, Field, FieldType, Where
from td_currents_cli.model import Code
from td_currents_cli.validate.finding import Violation
from td_currents_cli.validate.limits import COLUMN_NAME
from td_currents_cli.validate.types import shortened

EXTERNAL_USER_ID: Final = "external_user_id"

_COLUMN: Final = re.compile(COLUMN_NAME)


def check_destination(event: Mapping[str, Any], event_type: EventType | None, size: int) -> Iterator[Violation]:
    """Check the user, the size and the names of custom properties.

    Args:
        event: as decoded.
        event_type: None for one that is not in the catalog.
        size: of the event, in bytes.
    """
    user = event.get("user")
    if isinstance(user, dict) and not user.get(EXTERNAL_USER_ID) and _needs_external_user_id(event_type):
        path = ("user", EXTERNAL_USER_ID) if EXTERNAL_USER_ID in user else ("user",)
        yield Violation(Code.NO_EXTERNAL_USER_ID, path, "the user has no `external_user_id`")
    if size + len(EMPTY_PAYLOAD) > MAX_BYTES:
        message = f"the event has {size:,} bytes: a request with it exceeds {MAX_BYTES:,} bytes"
        yield Violation(Code.EVENT_TOO_LARGE, (), message)
    yield from _column_names(event, event_type)


def is_external_user_id(field: Field) -> bool:
    """Whether Braze's Treasure Data export leaves out events with this field if it is empty."""
    here = field.name == EXTERNAL_USER_ID and field.where is Where.USER
    return here and not field.storage_only and field.until is None


def _needs_external_user_id(event_type: EventType | None) -> bool:
    """Whether events of this type have a user who can have one. Runs of AI agents, for example, need not."""
    return event_type is None or any(map(is_external_user_id, event_type.fields))


def _column_names(event: Mapping[str, Any], event_type: EventType | None) -> Iterator[Violation]:
    properties = event.get("properties")
    for field in event_type.fields if event_type and isinstance(properties, dict) else ():
        custom = properties.get(field.name) if field.type is FieldType.OBJECT and properties else None
        for name in custom if isinstance(custom, dict) else ():
            if not _COLUMN.match(name):
                message = f"`{shortened(name)}` is not a valid column name"
                yield Violation(Code.COLUMN_NAME, ("properties", field.name, name), message, at_name=True)
