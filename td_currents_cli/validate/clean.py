"""The fast pass: whether a payload, or an event, surely breaks none of some rules.

The types of `EventTypes` refuse nearly everything that breaks a rule. Of a duplicate key a decoder keeps one field,
which shows when the value is encoded again. A property test proves that the careful check finds no problem in what
passes; another test goes through all rules.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from td_currents_cli.braze import EMPTY_PAYLOAD, MAX_BYTES, MAX_EVENTS
from td_currents_cli.catalog import Catalog
from td_currents_cli.catalog.constraints import Guard
from td_currents_cli.read.scanner import is_utf8
from td_currents_cli.validate.event_union import EventTypes
from td_currents_cli.validate.limits import MAX_LEVELS
from td_currents_cli.validate.nesting import too_deep_at
from td_currents_cli.validate.rules import Rule, RuleScope
from td_currents_cli.validate.text import kept_all

_REFUSED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
_GROUP: Final = 10
"""Events that are tried together: most of them pass, also in a batch that does not."""

_OBJECTS: Final = 3
"""Objects that every event is made of: itself, `user` and `properties`."""


class FastCheck:
    """Passes what surely breaks none of `rules`, by decoding it.

    It passes nothing as long as it cannot know that of one of them: see `Rule.fast`.
    """

    def __init__(self, catalog: Catalog, rules: Collection[Rule], now: int) -> None:
        concerned = [rule for rule in rules if rule.scope in {RuleScope.DOCUMENT, RuleScope.EVENT}]
        self._is_on = all(rule.limits or rule.fast for rule in concerned)
        types = EventTypes(catalog, concerned, now)
        self._is_closed = types.is_closed
        guards = {rule.fast for rule in concerned}
        self._unique_names = Guard.UNIQUE_NAMES in guards
        self._counts_events = Guard.EVENT_COUNT in guards
        self._payload: msgspec.json.Decoder[Any] = msgspec.json.Decoder(types.payload)
        self._array: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[types.event])  # type: ignore[name-defined]
        self._event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(types.event)
        self._encode = msgspec.json.Encoder().encode

    def events_of_payload(self, data: bytes) -> list[Any] | None:
        """The events of a payload, with `id` and `time`; None where it needs the careful check."""
        payload = self._decoded(self._payload, data) if len(data) <= MAX_BYTES else None
        if payload is None or (self._counts_events and not 0 < len(payload.events) <= MAX_EVENTS):
            return None
        events: list[Any] = payload.events
        return events if self._is_shallow(data, len(events)) else None

    def events_of_cell(self, data: bytes) -> list[Any] | None:
        """The events of an array in an ingested row, which no limit of requests concerns any more."""
        events: list[Any] | None = self._decoded(self._array, data)
        if events is None or (self._counts_events and not events):
            return None
        return events if self._is_shallow(data, len(events)) else None

    def event(self, text: bytes) -> Any:  # noqa: ANN401 -- of a type made at run time
        event = self._decoded(self._event, text) if len(text) + len(EMPTY_PAYLOAD) <= MAX_BYTES else None
        return event if event is not None and self._is_shallow(text, 1) else None

    def ids_of_events(self, texts: Sequence[bytes]) -> list[str | None]:
        """The id of each event that passes, None for the others."""
        events: list[Any] = []
        for begin in range(0, len(texts), _GROUP):
            group = texts[begin : begin + _GROUP]
            together = b"[%b]" % b",".join(group)
            passed = self.events_of_cell(together) if len(together) + len(EMPTY_PAYLOAD) <= MAX_BYTES else None
            events += map(self.event, group) if passed is None else passed
        return [None if event is None else event.id for event in events]

    def _decoded(self, decoder: msgspec.json.Decoder[Any], text: bytes) -> Any:  # noqa: ANN401 -- as above
        if not self._is_on or not (self._is_closed or is_utf8(text)):
            return None
        try:
            value = decoder.decode(text)
        except _REFUSED:
            return None
        return None if self._unique_names and not kept_all(text, self._encode(value)) else value

    def _is_shallow(self, text: bytes, events: int) -> bool:
        """Whether no event is nested too deep: all others have their objects, and too few brackets are left."""
        if self._is_closed:
            return True
        others = max(0, events - 1) * _OBJECTS
        return _number_of(b"{", text) + _number_of(b"[", text) - others <= MAX_LEVELS or too_deep_at(text) is None


def _number_of(byte: bytes, text: bytes) -> int:
    """How often a byte occurs. `bytes.count` looks at bytes one by one and takes six times as long."""
    return len(text) - len(text.replace(byte, b""))
