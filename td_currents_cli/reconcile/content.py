"""Whether two events hold the same: a digest of their content that does not mind how it is written down.

Equal are, and nothing else is:

- members in any order, with any white space, texts with any escapes;
- numbers of the same value, as `1`, `1.0` and `1e0`, but for integral ones from 10^16 on, which stay as they stand;
- the nested form of an event and the flat form that `tdcur parse` makes of it (see `events.flatten`);
- a member of a flat event that is null, and one that is not there: the streaming connector leaves nulls out. One
  that stands under `user` or `properties` needs no prefix when all its namesakes are null;
- an array or an object that is a member of the flat event, and its JSON as text, which the connector stores.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final, TypeAlias

import orjson

from td_currents_cli.braze import PLACES
from td_currents_cli.events.flatten import flatten
from td_currents_cli.events.lenient import loads
from td_currents_cli.write.json_text import json_line

UNKNOWN: Final = 0
"""Stands for the content of an event that only its id is known of."""

_PREFIXES: Final = tuple(f"{place}." for place in PLACES)
_EXACT: Final = 10**16
"""Integral numbers below this have one text as integers, and one as floats."""
_INTEGRAL: Final = re.compile(rb"\.0[],}]")
_OPENING: Final = frozenset("[{")
_SHAPES: Final = 20_000
"""Sets of names that are remembered."""

Members: TypeAlias = dict[str, Any]
_Shape: TypeAlias = tuple[Callable[[Members], Any], bytes]


class Contents:
    """Digests of the contents of events. Remembers how events look, of which there are few kinds."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}

    def __call__(self, event: Members) -> int:
        """The digest, of 64 bits, of a decoded event; never UNKNOWN."""
        flat = _merged(event)
        shape = None if flat is None else self._shape(tuple(flat))
        if flat is None or shape is None:
            flat = _bare(loads(flatten(json_line(event))))
            shape = _shape_of(flat)
        values, names = shape
        digest = blake2b(_text(values(flat)), digest_size=8, key=names).digest()
        return int.from_bytes(digest, "big") or 1

    def _shape(self, names: tuple[str, ...]) -> _Shape | None:
        """How to take members with these names in their order; None where a name may need another one."""
        try:
            return self._shapes[names]
        except KeyError:
            if len(self._shapes) >= _SHAPES:
                self._shapes.clear()
            shape = None if any(name.startswith(_PREFIXES) for name in names) else _shape_of(names)
            self._shapes[names] = shape
            return shape


def _merged(event: Members) -> Members | None:
    """The members of an event and of its `user` and `properties` side by side; None where names clash."""
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


def _bare(flat: Members) -> Members:
    """A flat event without nulls, and without prefixes that no other member gives a reason for."""
    members = {name: value for name, value in flat.items() if value is not None}
    bare = {name: name.partition(".")[2] if name.startswith(_PREFIXES) else name for name in members}
    wanted = list(bare.values())
    return {bare[name] if wanted.count(bare[name]) == 1 else name: value for name, value in members.items()}


def _shape_of(names: Iterable[str]) -> _Shape:
    ordered = sorted(names)
    digest = blake2b(json.dumps(ordered).encode(), digest_size=16).digest()
    return (itemgetter(*ordered) if len(ordered) > 1 else lambda members: [members[name] for name in ordered]), digest


def _text(values: Sequence[Any]) -> bytes:
    """Values as JSON that is the same for all that are equal."""
    try:
        text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
        # What may have to be written otherwise is looked for at the speed of a search: texts of JSON, then floats.
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
    """The array or object that a text stands for; any other text as it is."""
    if text[:1] in _OPENING:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def _plain(value: Any) -> Any:  # noqa: ANN401 -- as above
    """The value with integers for integral floats."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
