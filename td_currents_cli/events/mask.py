"""Removes personal data from events, or replaces it with keyed hashes, so that joins still work.

Masked are the fields that the catalog marks as personal data for the event type (for an unknown type or field: for any
type). In fields that customers name (`custom_properties`, `purchase_properties`, unknown fields), strings with an email
address, phone number or IP address are masked, and values whose names suggest one; a value that is nested too deeply to
be searched is masked as a whole.

The hash is HMAC-SHA256 with the key, over the UTF-8 bytes of a string or the JSON of any other value, as a string of 64
hexadecimal digits. `null` stays `null`.
"""

import hmac
import ipaddress
import json
from contextlib import suppress
from typing import Any, Final

import msgspec
import orjson
from msgspec import Raw

from td_currents_cli.braze import ENVELOPE
from td_currents_cli.catalog import load
from td_currents_cli.events.flatten import nested_fields_of, nested_of
from td_currents_cli.events.json import hide_lone_surrogates, loads, string_of
from td_currents_cli.patterns import pattern

_PERSONAL_NAME: Final = pattern(r"(?i)(^|[_. -])(e-?mail|phone|mobile|msisdn|ip)([_. -]?(address|number))?$")
_MAIL: Final = pattern(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"']+")
_IPV4: Final = pattern(r"(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?![\d.])")
_PHONE: Final = pattern(r"\+\d[\d\s().-]{6,}\d|(?<!\d)\(?\d{2,5}\)?[ ./-]\d{3,4}[ .-]\d{3,4}(?!\d)")

_DROPPED: Final = object()


class Masking:
    """Masks the personal data of events: hashes it with the key, or drops it without one."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        events = load().events
        self._marked = {
            name: {field.name: field.pii for field in event.fields} | dict.fromkeys(event.may_hold_personal_data, True)
            for name, event in events.items()
        }
        self._anywhere = {name for marked in self._marked.values() for name in marked if marked[name]}
        self._objects = {field.name for event in events.values() for field in event.fields if field.type == "object"}

    def __call__(self, event: bytes) -> bytes:
        """Mask an event, nested or flat; the result is nested."""
        hidden, restore = hide_lone_surrogates(event)
        fields = nested_fields_of(hidden)
        event_type = next((value for place, name, value in fields if not place and name == "event_type"), b"null")
        marked = self._marked.get(string_of(event_type), {})
        kept = []
        for place, name, value in fields:
            masked = self._field(place, name, value, marked)
            if masked is not None:
                kept.append((place, name, masked))
        return restore(nested_of(kept))

    def field(self, event_type: str, place: str, name: str, value: bytes) -> bytes | None:
        """Mask a field of an event: `place` is the object that has it, empty for the event itself. None: dropped."""
        hidden, restore = hide_lone_surrogates(value)
        masked = self._field(place, name, Raw(hidden), self._marked.get(event_type, {}))
        return None if masked is None else restore(bytes(masked))

    def _field(self, place: str, name: str, value: Raw, marked: dict[str, bool]) -> Raw | None:
        if not place and name in ENVELOPE:
            return value
        if marked.get(name, name in self._anywhere):
            return self._masked(value)
        if name in marked and name not in self._objects:
            return value
        if _PERSONAL_NAME.search(name):
            return self._masked(value)
        return self._scanned(value)

    def _masked(self, value: Raw) -> Raw | None:
        data = bytes(value)
        if data == b"null":
            return value
        # Of a string, its own bytes are hashed.
        hashed = self.replacement(loads(data) if data.startswith(b'"') else data.decode())
        return None if hashed is _DROPPED else Raw(orjson.dumps(hashed))

    def _scanned(self, value: Raw) -> Raw | None:
        """The value with what looks like personal data masked; the same bytes if nothing does."""
        data = bytes(value)
        if data[:1] not in b'"{[':
            return value
        try:
            # Numbers stay as written.
            found = json.loads(data, parse_float=_number, parse_int=_number)
            clean = self._masked_inside(found)
        except RecursionError:
            return self._masked(value)
        if clean is _DROPPED:
            return None
        return value if clean is found else Raw(msgspec.json.encode(clean))

    def _masked_inside(self, value: Any) -> Any:  # noqa: ANN401 -- any JSON value
        """Mask a decoded value; returns the same object if nothing in it is personal."""
        if isinstance(value, str):
            return self.replacement(value) if looks_personal(value) else value
        if isinstance(value, list):
            cleaned = [self._masked_inside(each) for each in value]
            same = all(new is old for new, old in zip(cleaned, value, strict=True))
            return value if same else [None if each is _DROPPED else each for each in cleaned]
        if isinstance(value, dict):
            named = {name: self._masked_by_name(name, each) for name, each in value.items()}
            same = all(named[name] is value[name] for name in value)
            return value if same else {name: each for name, each in named.items() if each is not _DROPPED}
        return value

    def _masked_by_name(self, name: str, value: Any) -> Any:  # noqa: ANN401 -- as above
        if _PERSONAL_NAME.search(name) and value is not None and not isinstance(value, bool | dict | list):
            return self.replacement(value if isinstance(value, str) else bytes(value).decode())
        return self._masked_inside(value)

    def replacement(self, string: str) -> object:
        if self._key is None:
            return _DROPPED
        return hmac.digest(self._key, string.encode(errors="surrogatepass"), "sha256").hex()


def looks_personal(string: str) -> bool:
    """Whether a string contains an email address, a phone number or an IP address."""
    if ("@" in string and _MAIL.search(string)) or _IPV4.search(string) or _PHONE.search(string):
        return True
    with suppress(ValueError):
        return string.count(":") >= 2 and bool(ipaddress.ip_address(string.strip()))
    return False


def _number(digits: str) -> Raw:
    return Raw(digits.encode())
