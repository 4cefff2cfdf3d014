"""The fast pass: whether a batch, or an event, is such that diagnosis has nothing to remark.

The catalogue becomes one union of types, told apart by `event_type`, that refuses whatever a rule remarks: unknown
names, missing fields, values outside a set, times out of bounds. What decodes as that is clean, but for names that
stand twice in an object, of which a decoder keeps one: they show when the value is encoded again and has fewer members.
A property test proves that clean means no findings.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NewType

import msgspec
from msgspec import UNSET, Meta, UnsetType

from td_currents_cli.braze import EMPTY_PAYLOAD, MAX_BYTES, MAX_EVENTS
from td_currents_cli.catalog import Catalog, Field, FieldType
from td_currents_cli.validate.destination import is_external_user_id
from td_currents_cli.validate.event_union import INT64, NOT_EMPTY, NOT_SUCH, PLAIN_TYPES, payload_of, union_of
from td_currents_cli.validate.limits import COLUMN_NAME, EARLIEST
from td_currents_cli.validate.text import kept_all

_NESTED: Final = 8
"""Levels of arrays and objects in a custom property that are passed; deeper ones are left to diagnosis."""

_GROUP: Final = 10
"""Events of a batch that is not clean which are tried together: most of them are."""


def _any_value(levels: int) -> Any:  # noqa: ANN401 -- a type made at run time
    """Any JSON value of so many levels whose integers have 64 bits."""
    value: Any = INT64 | float | str | bool | None
    for _ in range(levels):
        value = INT64 | float | str | bool | list[value] | dict[str, value] | None
    return value


_AnyValue: Any = _any_value(_NESTED)
_ColumnName: Final = Annotated[str, Meta(pattern=COLUMN_NAME)]
_TYPES: Final[Mapping[FieldType, Any]] = {
    **PLAIN_TYPES,
    # By a name of its own: each of hundreds of fields would have its whole depth walked through, by typing and msgspec.
    FieldType.OBJECT: NewType("CustomData", dict[_ColumnName, _AnyValue]),  # type: ignore[valid-type]
}


class CleanPass:
    """Decoders of clean batches and clean events.

    Args:
        catalog: the event types. Custom events and purchases are left to diagnosis where it describes their data.
        latest: UNIX seconds after which a `time` is in the future.
    """

    def __init__(self, catalog: Catalog, latest: int) -> None:
        time = Annotated[int, Meta(ge=EARLIEST, le=latest)]
        event = union_of(catalog, time=time, member=_member, accepts=_is_sent, closed=True)
        self._payload: msgspec.json.Decoder[Any] = msgspec.json.Decoder(payload_of(event, closed=True))
        self._array: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[event])  # type: ignore[valid-type]
        self._event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(event)
        self._encode = msgspec.json.Encoder().encode

    def ids_of_payload(self, data: bytes) -> list[str] | None:
        """The ids of a clean payload's events; None for any other."""
        if len(data) > MAX_BYTES:
            return None
        payload = self._clean(self._payload, data)
        if payload is None or not 0 < len(payload.events) <= MAX_EVENTS:
            return None
        return [event.id for event in payload.events]

    def ids_of_cell(self, data: bytes) -> list[str] | None:
        """The ids of a clean array of events from an ingested row, which no limit of requests concerns any more."""
        events = self._clean(self._array, data)
        return [event.id for event in events] if events else None

    def id_of_event(self, text: bytes) -> str | None:
        """The id of a clean event; None for any other."""
        event = self._clean(self._event, text) if len(text) + len(EMPTY_PAYLOAD) <= MAX_BYTES else None
        return None if event is None else str(event.id)

    def ids_of_events(self, texts: Sequence[bytes]) -> list[str | None]:
        """The id of each clean event, in their order; None for each other one."""
        ids: list[str | None] = []
        for begin in range(0, len(texts), _GROUP):
            group = texts[begin : begin + _GROUP]
            together = b"[%b]" % b",".join(group)
            events = self._clean(self._array, together) if len(together) <= MAX_BYTES - len(EMPTY_PAYLOAD) else None
            ids += map(self.id_of_event, group) if events is None else [event.id for event in events]
        return ids

    def _clean(self, decoder: msgspec.json.Decoder[Any], text: bytes) -> Any:  # noqa: ANN401 -- of a type made at run time
        try:
            value = decoder.decode(text)
        except NOT_SUCH:
            return None
        return value if kept_all(text, self._encode(value)) else None


def _is_sent(field: Field) -> bool:
    return field.until is None


def _member(field: Field) -> tuple[Any] | tuple[Any, Any]:
    value: Any = Literal[field.enum] if field.enum else _TYPES[field.type]
    if is_external_user_id(field):
        return (value if field.enum else NOT_EMPTY,)
    if field.expected:
        return (value,)
    return value | None | UnsetType, UNSET
