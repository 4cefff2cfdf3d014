"""The fastest pass: whether a payload, or an event, surely has no errors. Warnings are not looked at.

Sending asks for no more than that, for every event. A property test proves that what is sound has no errors.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from td_currents_cli.braze import EMPTY_PAYLOAD, MAX_BYTES
from td_currents_cli.catalog import Catalog, Field, FieldType
from td_currents_cli.read.scanner import is_utf8
from td_currents_cli.validate.event_union import NOT_SUCH, PLAIN_TYPES, payload_of, union_of
from td_currents_cli.validate.limits import MILLISECONDS, MOST_NESTED
from td_currents_cli.validate.nesting import too_deep_at

_OBJECTS: Final = 3
"""Objects that every event is made of: itself, `user` and `properties`."""


class _AnyObject(Struct, gc=False):
    """Nothing of it is looked at."""


_TYPES: Final[Mapping[FieldType, Any]] = {
    **PLAIN_TYPES,
    FieldType.OBJECT: _AnyObject,
}


class SoundPass:
    """Decoders of payloads and events without errors.

    Args:
        catalog: the event types. Others are left to diagnosis.
    """

    def __init__(self, catalog: Catalog) -> None:
        time = Annotated[int, Meta(ge=0, lt=MILLISECONDS)]
        event = union_of(catalog, time=time, member=_member, accepts=lambda _: True, closed=False)
        self._payload: msgspec.json.Decoder[Any] = msgspec.json.Decoder(payload_of(event, closed=False))
        self._event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(event)

    def events_of(self, data: bytes) -> list[tuple[str, str, int]] | None:
        """`id`, `event_type` and `time` of each event of a payload that has no errors; None where that is not sure."""
        if len(data) > MAX_BYTES or not is_utf8(data):
            return None
        try:
            events = self._payload.decode(data).events
        except NOT_SUCH:
            return None
        if not _is_flat(data, len(events)):
            return None
        return [(each.id, each.__struct_config__.tag, each.time) for each in events]

    def has_event(self, text: bytes) -> bool:
        """Whether an event has no errors; False where that is not sure."""
        if len(text) + len(EMPTY_PAYLOAD) > MAX_BYTES or not is_utf8(text):
            return False
        try:
            self._event.decode(text)
        except NOT_SUCH:
            return False
        return _is_flat(text, 1)


def _member(field: Field) -> tuple[Any] | tuple[Any, Any]:
    value = _TYPES[field.type]
    return (value,) if field.expected else (value | None | UnsetType, UNSET)


def _is_flat(text: bytes, events: int) -> bool:
    """Whether no event can be nested too deep: all others have their objects, and too few brackets are left."""
    others = max(0, events - 1) * _OBJECTS
    return _number_of(b"{", text) + _number_of(b"[", text) - others <= MOST_NESTED or too_deep_at(text) is None


def _number_of(byte: bytes, text: bytes) -> int:
    """How often a byte is in a text. Not by `count`, which looks at bytes one by one and takes six times as long."""
    return len(text) - len(text.replace(byte, b""))
