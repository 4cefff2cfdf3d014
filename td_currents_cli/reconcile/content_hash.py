"""A digest of an event's content that does not depend on how the event is written.

These are equal, and nothing else:

- fields in any order, with any white space, and strings with any escapes;
- numbers of the same value, as `1`, `1.0` and `1e0`, but integral ones from 10^16 on, and those that no double
  represents, only if written alike;
- an event and its flat event, as `tdcur parse` writes it (see `events.flatten`);
- a null field of a flat event and a missing one: the streaming connector leaves nulls out. A field of `user` or
  `properties` needs no prefix if all fields with the same name are null, and never the same prefix twice;
- an array or object in a field of the flat event, and its JSON as a string, which the connector stores.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b, md5
from math import isfinite
from operator import itemgetter
from typing import Any, Final, TypeAlias

import msgspec
import orjson
from msgspec import Raw

from td_currents_cli.braze import CUSTOM_FIELDS, PLACES
from td_currents_cli.catalog import load
from td_currents_cli.events.flatten import flatten
from td_currents_cli.events.json import loads
from td_currents_cli.patterns import pattern
from td_currents_cli.write.formats import json_line

UNKNOWN: Final = 0
"""The content of an event of which only the id is known."""

_PREFIXES: Final = tuple(f"{place}." for place in PLACES)
_PREFIX: Final = pattern(rf"\A(?:{'|'.join(map(re.escape, _PREFIXES))})")
_REPEATED: Final = pattern(rf"\A({'|'.join(map(re.escape, _PREFIXES))})\1*(?=\1)")
_EXACT: Final = 10**16
"""Integral numbers below this are written one way as integers, and one way as floats."""
_INTEGRAL: Final = pattern(rb"\.0[],}]")
_OPENING: Final = frozenset("[{")

_EXTREME: Final = pattern(r"[:,\[\s]-?\d+(?:\.\d+)?[eE][+-]?0*\d{3}", re.ASCII)
_EXTREME_BYTES: Final = pattern(_EXTREME.pattern.encode())
"""A number in an array or object that may be beyond the range of a double; not `8e777` within an id."""

Fields: TypeAlias = dict[str, Any]
_FieldOrder: TypeAlias = tuple[Callable[[Fields], Any], bytes]


def decoded(event: Raw) -> Fields:
    """Decode an event for a content digest."""
    try:
        if not _EXTREME_BYTES.search(event):
            return _exact_fields.decode(event)
    except msgspec.DecodeError:
        pass
    fields: Fields = _exact_json(bytes(event))
    return fields


_exact_fields: Final = msgspec.json.Decoder(Fields)


def _exact_json(text: bytes | str) -> Any:  # noqa: ANN401 -- any JSON value
    return json.loads(text, parse_int=_written_integer, parse_float=_written_number)


def _written_integer(digits: str) -> object:
    return int(digits) if len(digits) <= _MAX_DIGITS else {_WRITTEN: digits}


def _written_number(digits: str) -> object:
    number = float(digits)
    is_exact = isfinite(number) and (number or not _NONZERO.match(digits))
    return number if is_exact else {_WRITTEN: digits}


_MAX_DIGITS: Final = 4300  # what Python converts
_NONZERO: Final = pattern(r"[-0.]*[1-9]")
_WRITTEN: Final = "\0number"
"""Name of the only field of an object that stands for a number which no double represents."""


def content_digest(event: Fields) -> int:
    """The 64-bit digest of a decoded event; never UNKNOWN."""
    flat = _merged(event)
    order = None if flat is None else _order(tuple(flat))
    if flat is None or order is None:
        flat = _bare(loads(flatten(json_line(event))))
        order = _order_of(flat)
    values, names = order
    digest = blake2b(_text(values(flat)), digest_size=8, key=names).digest()
    return int.from_bytes(digest, "big") or 1


def in_both_forms(event: Fields) -> Fields:
    """Return an event without the fields that only HTTP or only Braze's export has, by the catalog.

    Custom properties without any field are left out as well: no document says how the export writes them.
    """
    names = _of_one_form(str(event.get("event_type")))

    def kept(fields: Fields) -> Fields:
        empty = [name for name in fields if name.endswith(CUSTOM_FIELDS) and fields[name] in ({}, "{}")]
        if not empty and names.isdisjoint(fields):
            return fields
        return {name: value for name, value in fields.items() if name not in names and name not in empty}

    inner = {place: kept(event[place]) for place in PLACES if type(event.get(place)) is dict}
    return kept({**event, **inner})


@lru_cache(1000)  # types are data
def _of_one_form(event_type: str) -> frozenset[str]:
    """Return the names of these fields, in any scheme of flat events."""
    found = load().get(event_type)
    fields = () if found is None else found.fields
    both = {*CUSTOM_FIELDS, *PLACES}  # what is called `properties` in the export has been read as one of the former
    one_form = [each for each in fields if (each.storage_only or each.http_only) and each.name not in both]
    return frozenset(f"{prefix}{each.name}" for each in one_form for prefix in ("", f"{each.where}.", f"{each.where}_"))


@lru_cache(20_000)  # few sets of field names occur
def _order(names: tuple[str, ...]) -> _FieldOrder | None:
    """How to read fields with these names in order; None if a name may have to change."""
    return None if any(name.startswith(_PREFIXES) for name in names) else _order_of(names)


def _merged(event: Fields) -> Fields | None:
    """The fields of an event, of its `user` and of its `properties` in one object; None if a name repeats."""
    flat, expected = event, len(event)
    for place in PLACES:
        inner = event.get(place)
        if type(inner) is dict:
            flat = {**flat, **inner}
            expected += len(inner)
    if flat is not event:
        if len(flat) != expected:
            return None
        for place in PLACES:
            if type(event.get(place)) is dict:
                del flat[place]
    return {name: value for name, value in flat.items() if value is not None} if None in flat.values() else flat


def _bare(flat: Fields) -> Fields:
    """A flat event without nulls, and without prefixes that are not needed to tell fields apart."""
    fields = {name: value for name, value in flat.items() if value is not None}
    # A null field may have been the reason for a second prefix.
    for prefixes in (_REPEATED, _PREFIX):
        names = [prefixes.sub("", name) for name in fields]
        fields = {
            short if names.count(short) == 1 else name: value
            for short, (name, value) in zip(names, fields.items(), strict=True)
        }
    return fields


def _order_of(names: Iterable[str]) -> _FieldOrder:
    ordered = sorted(names)
    digest = blake2b(json.dumps(ordered).encode(), digest_size=16).digest()
    return (itemgetter(*ordered) if len(ordered) > 1 else lambda fields: [fields[name] for name in ordered]), digest


def _text(values: Sequence[Any]) -> bytes:
    """Values as JSON, the same for equal values."""
    try:
        text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
        # A search is fast enough to find what may have to be written another way: strings of JSON, then floats.
        if b"{" in text or text.find(b"[", 1) > 0:
            values = [_decoded(value) if type(value) is str else value for value in values]
            text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
        has_integral_floats = b".0" in text and _INTEGRAL.search(text)
        return orjson.dumps(_plain(list(values)), option=orjson.OPT_SORT_KEYS) if has_integral_floats else text
    except orjson.JSONEncodeError:
        # Lone surrogates, and integers of more than 64 bits.
        values = [_decoded(value) if type(value) is str else value for value in values]
        return json.dumps(_plain(values), sort_keys=True).encode()


def _decoded(text: str) -> Any:  # noqa: ANN401 -- any JSON value
    """The array or object whose JSON a string is; any other string unchanged."""
    if text[:1] in _OPENING:
        try:
            return _exact_json(text) if _EXTREME.search(text) else orjson.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _plain(value: Any) -> Any:  # noqa: ANN401 -- as above
    """The value, with integers instead of integral floats."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value


_LONGS: Final = range(-(2**63), 2**63)
_NOT_IN_NAMES: Final = pattern(r"[^a-z0-9_]")


def streaming_digest(event: Fields) -> int:
    """A 32-bit digest of what the streaming connector keeps: equal for an event and its row.

    `time` becomes the receive time, numbers lose their fractions, booleans become strings, nulls are left out, names
    are joined with `_`, in lower case, and arrays (and maybe objects) become JSON strings. In CSV, numbers are not told
    from strings, nor empty strings from nulls. Never 0.
    """
    kept = [pair for name, value in event.items() if name != "time" for pair in _kept(name, value)]
    text = json.dumps(sorted(kept, key=itemgetter(0)), sort_keys=True).encode()
    return int.from_bytes(blake2b(text, digest_size=4).digest(), "big") or 1


def _kept(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 -- any JSON value
    if isinstance(value, str):
        value = None if value.lower() in {"true", "false", ""} else _decoded(value)
    if isinstance(value, dict):
        for inner, each in value.items():
            if inner != _WRITTEN:
                yield from _kept(f"{name}_{inner}", each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if int(value) in _LONGS:
            yield _NOT_IN_NAMES.sub("_", name.lower()), str(int(value))
    elif value is not None and not isinstance(value, bool):
        yield _NOT_IN_NAMES.sub("_", name.lower()), _plain(value)


_fields: Final = msgspec.json.Decoder(
    dict[str, Any], float_hook=lambda digits: orjson.Fragment(_integer_part(float(digits)))
)

_ABOVE_FFFF: Final = pattern(rb"[\xf0-\xf4]")
"""Characters above U+FFFF, which Java sorts before some of those below."""

_ESCAPE: Final = pattern(r"\\u00[01][0-9a-f]|\\\\")
_WITHOUT_EXPONENT: Final = (1e-3, 1e7)
"""Java writes floats from the first to below the second without an exponent."""


def outline(event: Raw) -> int:
    """The 64-bit digest of an event's JSON.

    UNKNOWN for a flat event, which a table of batches has in another form, and for what Trino or tdcur cannot read
    exactly: lone surrogates, numbers beyond all limits, hundreds of levels.
    """
    try:
        text = _canonical_json(event)
    except (ValueError, RecursionError):
        return UNKNOWN
    return UNKNOWN if text is None else int.from_bytes(md5(text, usedforsecurity=False).digest()[:8], "big")


def _canonical_json(event: Raw) -> bytes | None:
    try:
        fields = _fields.decode(event)
        text = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS) if _is_nested(fields) else None
    except (msgspec.DecodeError, orjson.JSONEncodeError):
        return _careful_json(event)
    if text and (b"\\u00" in text or not (text.isascii() or _ABOVE_FFFF.search(text) is None)):
        return _careful_json(event)
    return text


def _careful_json(event: Raw) -> bytes | None:
    fields = loads(bytes(event))
    return _canonical_value(fields).encode() if _is_nested(fields) else None


def _is_nested(fields: dict[str, Any]) -> bool:
    return type(fields.get("user")) is dict or type(fields.get("properties")) is dict


def _canonical_value(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        # Java sorts strings by their UTF-16.
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        fields = [f"{_quoted(name)}:{_canonical_value(value[name])}" for name in names]
        return f"{{{','.join(fields)}}}"
    if isinstance(value, list):
        return f"[{','.join([_canonical_value(each) for each in value])}]"
    return _integer_part(value) if isinstance(value, float) else json.dumps(value)


def _quoted(text: str) -> str:
    r"""A string as Jackson writes it: only `"`, `\` and control characters escaped, with upper-case digits."""
    return _ESCAPE.sub(lambda escape: escape[0][:2] + escape[0][2:].upper(), json.dumps(text, ensure_ascii=False))


def _integer_part(number: float) -> str:
    if not isfinite(number):
        raise ValueError
    least, end = _WITHOUT_EXPONENT
    return repr(number).partition(".")[0] if not number or least <= abs(number) < end else ""
