"""JSON that msgspec refuses, with Python's own parser: lone surrogates, numbers of any size."""

import json
import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from td_currents_cli.model import Batch, Code, Location, Problem
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import conversion_of
from td_currents_cli.read.scanner import code_points

T = TypeVar("T")

_MAX_DIGITS: Final = 4300
"""Python's limit for the length of an integer: the time to parse one grows with the square of its length."""


def loads(value: bytes) -> Any:  # noqa: ANN401 -- any JSON value
    """Decode well-formed JSON; an integer of over 4,300 digits becomes an infinite float. Raises RecursionError."""
    return json.loads(value, parse_int=_integer)


def string_of(value: bytes | Raw) -> str:
    """The string that a JSON value is; empty for any other value."""
    if not bytes(value).startswith(b'"'):
        return ""
    found: str = loads(bytes(value))
    return found


def decode_any(value: bytes, to: type[T]) -> T:
    r"""Decode well-formed JSON, as `loads`, into a type; in names, lone surrogates become `\udXXX`."""
    decoded = json.loads(value, parse_int=_integer, object_pairs_hook=_with_plain_names)
    try:
        return msgspec.convert(decoded, to)
    except UnicodeEncodeError:
        # One is in a string where the type has an object, such as `user`.
        return msgspec.convert({n: _plain(each) if isinstance(each, str) else each for n, each in decoded.items()}, to)


def _with_plain_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # msgspec compares names as UTF-8.
    return {_plain(name): value for name, value in pairs}


def _plain(string: str) -> str:
    return string.encode(errors="backslashreplace").decode()


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


_UNICODE_ESCAPE: Final = pattern(rb"\\u")
"""Found three times as fast as with `in`."""
_ESCAPE: Final = pattern(
    rb"""
    \\\\ |                                                    # a backslash that escapes another one
    \\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2} | # a pair: one character
    (\\u[dD][89a-fA-F][0-9a-fA-F]{2})                          # what is left is a lone one
    """,
    re.VERBOSE,
)


def hide_lone_surrogates(data: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """The JSON without lone surrogates, of the same length, and a function that restores them in any part of it."""
    if not _UNICODE_ESCAPE.search(data):
        return data, bytes
    stand_ins: dict[bytes, int] = {}
    lower = data.lower()
    # Characters of the private use area that do not occur, escaped or not. The escape without its backslash, which may
    # itself be escaped: `\u005cue000` is a backslash and five letters.
    unused = (
        each for each in range(0xE000, 0xF900) if _escape(each)[1:] not in lower and chr(each).encode() not in data
    )

    def stand_in(match: re.Match[bytes]) -> bytes:
        lone = match.group(1)
        if lone is None:
            return match.group()
        if lone not in stand_ins:
            stand_ins[lone] = next(unused)
        return _escape(stand_ins[lone])

    def restore(part: bytes) -> bytes:
        for lone, character in stand_ins.items():
            part = part.replace(_escape(character), lone).replace(chr(character).encode(), lone)
        return part

    return _ESCAPE.sub(stand_in, data), restore


def _escape(character: int) -> bytes:
    return b"\\u%04x" % character


_BYTE: Final = pattern(r"^(?:JSON is malformed: )?(?P<what>.*?)(?: \(byte (?P<byte>\d+)\))?$")
_NOT_A_NUMBER: Final = pattern(rb"-?(?:NaN|Infinity)")


def syntax_problem(batch: Batch) -> Problem | None:
    """The first syntax error of a batch; None if it is well-formed JSON."""
    try:
        batch.data.decode()
    except UnicodeDecodeError as error:
        return _syntax_problem(batch, Code.NOT_UTF8, "invalid UTF-8", error.start)
    try:
        msgspec.json.decode(hide_lone_surrogates(batch.data)[0], type=msgspec.Raw)
    except RecursionError:
        return too_deep(batch)
    except msgspec.DecodeError as error:
        # From Python 3.13 on, the parser goes deeper before it gives up.
        return too_deep(batch) if is_too_deep(batch.data) else _malformed(batch, str(error))
    return too_deep(batch) if is_too_deep(batch.data) else None


_MOST_LEVELS: Final = 960
"""What parsers read before Python 3.13."""


def is_too_deep(json: bytes) -> bool:
    return too_deep_at(json, _MOST_LEVELS) is not None


_BRACKETS_AND_QUOTE: Final = b'{}[]"'
_OTHERS: Final = bytes(code for code in range(256) if code not in _BRACKETS_AND_QUOTE)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_STRING: Final = pattern(rb'"[^"]*"?')
_TOKEN: Final = pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\]]', re.DOTALL)


def too_deep_at(json: bytes, levels: int) -> int | None:
    """Byte offset of the first bracket that opens a level beyond these, or None; `json` may be malformed."""
    if json.count(b"{") + json.count(b"[") <= levels:
        return None
    marks = json.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
    steps = map(_STEPS.__getitem__, _STRING.sub(b"", marks))
    if max(accumulate(steps), default=0) <= levels:
        return None
    depth = 0
    for token in _TOKEN.finditer(json):
        depth += _STEPS.get(json[token.start()], 0)
        if depth > levels:
            return token.start()
    return None


def too_deep(batch: Batch) -> Problem:
    return _syntax_problem(batch, Code.TOO_DEEP, "JSON is nested too deeply", 0)


def _malformed(batch: Batch, message_of_msgspec: str) -> Problem:
    match = _BYTE.match(message_of_msgspec)
    byte = int(match["byte"]) if match and match["byte"] else len(batch.data)
    what = match["what"] if match else message_of_msgspec
    if "truncated" in what:
        # msgspec also says so of `foo`, where it expects `false`.
        is_begun = batch.data.startswith((b"{", b"[", b'"'))
        what = _TRUNCATED if is_begun else "expected a value"
    elif what.startswith("trailing comma"):
        byte = batch.data.rfind(b",", 0, byte)
        what = f"trailing comma before `{batch.data[byte + 1 :].lstrip()[:1].decode()}`"
    elif what.startswith("trailing"):
        byte -= 1  # msgspec counts from 1 in this message only
        what = "unexpected data after the end of the document"
    elif number := _NOT_A_NUMBER.match(batch.data, byte - (batch.data[byte - 1 : byte] == b"-")):
        message = f"not JSON: {number.group().decode()} is not a JSON number"
        return _syntax_problem(batch, Code.NOT_A_NUMBER, message, number.start())
    elif _PYTHON_QUOTE.match(batch.data, byte):
        what = "a string in single quotes, as Python prints it"
    return _syntax_problem(batch, Code.NOT_JSON, f"not JSON: {what}", byte, _syntax_hint(batch, what))


_PYTHON_QUOTE: Final = pattern(rb"[bu]?'")
_TRUNCATED: Final = "it ends in the middle of a value"


def _syntax_hint(batch: Batch, what: str) -> str:
    """What helps against a syntax error; empty where only its place tells."""
    if "Python" in what:
        return "Write JSON with `json.dumps(…)`, not with `str(…)` or `print(…)`."
    if batch.location.row is not None:
        return "The cell does not contain JSON: export the rows again, as JSON Lines or msgpack."
    if what == _TRUNCATED:
        return "The rest is missing: get the file again, or wait until it has been written to its end."
    return ""


def _syntax_problem(batch: Batch, code: Code, message: str, byte: int, hint: str = "") -> Problem:
    if batch.location.row is not None:
        message = f"{message} (at byte {byte} of the cell)"
    if code is Code.NOT_UTF8:
        hint = conversion_of(batch.data)
    return Problem(code=code, location=place_in(batch, byte), message=message, hint=hint, raw=batch.data)


def place_in(batch: Batch, byte: int) -> Location:
    """Where a byte of a batch is in its source.

    For a cell of a row, where the row is: the cell was unquoted, so its columns are not those of the source.
    """
    begin = batch.location
    if begin.row is not None or begin.line is None:
        return begin
    before = batch.data[:byte]
    newlines = before.count(b"\n")
    last_line = before[before.rfind(b"\n") + 1 :]
    column = code_points(last_line) + (1 if newlines else begin.column or 1)
    return Location(source=begin.source, line=begin.line + newlines, column=column, offset=begin.offset + byte)


_EVENTS: Final = pattern(rb'"events"\s*:\s*')
_PLAIN_START: Final = b'{"events":'
"""Start of a payload without other fields and white space."""

_KINDS: Final = {"{": "an object", "[": "an array", "n": "null", "t": "a boolean", "f": "a boolean", '"': "a string"}


class _PayloadFields(Struct):
    events: Raw | UnsetType = UNSET
    event_type: Raw | UnsetType = UNSET


class Elements(Struct, frozen=True):
    """The elements of a batch, events or not."""

    batch: Batch
    texts: Sequence[bytes]  # the JSON of each
    pointer: str | None = None  # to their array (RFC 6901); None for a bare event
    begin: int = 0  # offset of their array in the batch

    def locations(self) -> list[Location]:
        data, here, passed, end = self.batch.data, self.batch.location, 0, self.begin
        locations: list[Location] = []
        for element in self.texts:
            # Between two elements, there is only a comma, a bracket and white space.
            begin = data.find(element, end)
            here = place_in(Batch(data[passed:begin], here), begin - passed)
            locations.append(here)
            passed, end = begin, begin + len(element)
        return locations

    def pointer_to(self, index: int) -> str:
        return "" if self.pointer is None else f"{self.pointer}/{index}"


def elements_of(batch: Batch) -> Elements | Problem:
    """The elements of a well-formed batch, or why it has none. Raises RecursionError."""
    data, restore = hide_lone_surrogates(batch.data)
    if data.startswith(b"["):
        return Elements(batch, [restore(bytes(each)) for each in msgspec.json.decode(data, type=list[Raw])], "")
    if not data.startswith(b"{"):
        return _problem(batch, Code.NOT_AN_OBJECT, f"expected a payload or an event, got {kind_of(data)}")
    envelope = msgspec.json.decode(data, type=_PayloadFields)
    if envelope.events is UNSET:
        is_event = envelope.event_type is not UNSET
        return Elements(batch, [batch.data]) if is_event else _events_missing(batch, data)
    array = bytes(envelope.events)
    if array == b"null":
        return Elements(batch, [], "/events")
    if not array.startswith(b"["):
        message = f"`events` must be an array, got {kind_of(array)}"
        return _problem(batch, Code.EVENTS_NOT_ARRAY, message, "/events", _begin(data, array))
    texts = [*map(restore, map(bytes, msgspec.json.decode(array, type=list[Raw])))]
    return Elements(batch, texts, "/events", _begin(data, array))


def kind_of(value: bytes) -> str:
    """The type of a JSON value, for messages."""
    return _KINDS.get(value[:1].decode(errors="replace"), "a number")


def _begin(data: bytes, events: bytes) -> int:
    """Offset of the value of `events`: of the last one, if it occurs twice, as for every JSON parser."""
    if data == b"%b%b}" % (_PLAIN_START, events):
        return len(_PLAIN_START)
    begins = [match.end() for match in _EVENTS.finditer(data) if data.startswith(events, match.end())]
    return begins[-1] if begins else data.find(events)


_MAX_NAME: Final = 40
"""Characters of a name that may be a misspelling of `events`."""


def _events_missing(batch: Batch, data: bytes) -> Problem:
    """Return the problem of an object that is neither a payload nor an event, which may have its events elsewhere."""
    message = "neither a payload nor an event: both `events` and `event_type` are missing"
    fields = msgspec.json.decode(data, type=dict[str, Raw])
    arrays = [name for name, value in fields.items() if bytes(value)[:1] == b"[" and b'"event_type"' in bytes(value)]
    if len(arrays) != 1 or len(arrays[0]) > _MAX_NAME:
        return _problem(batch, Code.EVENTS_MISSING, message)
    message = f"`events` is missing: the events are in `{arrays[0]}`"
    return _problem(batch, Code.EVENTS_MISSING, message, hint=f"Rename `{arrays[0]}` to `events`.")


def _problem(batch: Batch, code: Code, message: str, pointer: str = "", offset: int = 0, *, hint: str = "") -> Problem:
    place = place_in(batch, offset)
    return Problem(code=code, location=place, message=message, pointer=pointer, hint=hint, raw=batch.data)
