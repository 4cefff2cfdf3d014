"""Why a batch is not JSON, and where."""

import re
from typing import Final

import msgspec

from td_currents_cli.events.surrogates import hide_lone_surrogates
from td_currents_cli.model import Batch, Code, Location, Problem
from td_currents_cli.read.scanner import code_points

_BYTE: Final = re.compile(r"^(?:JSON is malformed: )?(?P<what>.*?)(?: \(byte (?P<byte>\d+)\))?$")
_NOT_A_NUMBER: Final = re.compile(rb"-?(?:NaN|Infinity)")


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
        return _malformed(batch, str(error))
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
        what = "it ends in the middle of a value" if is_begun else "expected a value"
    elif what.startswith("trailing"):
        byte -= 1  # msgspec counts from 1 in this message only
        what = "unexpected data after the end of the document"
    elif number := _NOT_A_NUMBER.match(batch.data, byte - (batch.data[byte - 1 : byte] == b"-")):
        message = f"not JSON: {number.group().decode()} is not a JSON number"
        return _syntax_problem(batch, Code.NOT_A_NUMBER, message, number.start())
    return _syntax_problem(batch, Code.NOT_JSON, f"not JSON: {what}", byte)


def _syntax_problem(batch: Batch, code: Code, message: str, byte: int) -> Problem:
    if batch.location.row is not None:
        message = f"{message} (at byte {byte} of the cell)"
    return Problem(code=code, location=place_in(batch, byte), message=message, raw=batch.data)


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
