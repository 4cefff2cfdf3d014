"""Why text is not JSON, and where."""

import re
from typing import Final

import msgspec

from td_currents_cli.codes import Code
from td_currents_cli.events.surrogates import hide_lone_surrogates
from td_currents_cli.model import Batch, Location, Problem
from td_currents_cli.read.scanner import code_points

_BYTE: Final = re.compile(r"^(?:JSON is malformed: )?(?P<what>.*?)(?: \(byte (?P<byte>\d+)\))?$")
_NOT_A_NUMBER: Final = re.compile(rb"-?(?:NaN|Infinity)")


def syntax_problem(batch: Batch) -> Problem | None:
    """The first thing that makes a batch's text not JSON; None when it is well-formed."""
    try:
        batch.data.decode()
    except UnicodeDecodeError as error:
        return _problem(batch, Code.NOT_UTF8, "the text is not UTF-8", error.start)
    try:
        msgspec.json.decode(hide_lone_surrogates(batch.data)[0], type=msgspec.Raw)
    except RecursionError:
        return too_deep(batch)
    except msgspec.DecodeError as error:
        return _malformed(batch, str(error))
    return None


def too_deep(batch: Batch) -> Problem:
    """The problem of a batch whose values no parser wants to follow into one another."""
    return _problem(batch, Code.TOO_DEEP, "the JSON is nested too deep to be a Currents event", 0)


def _malformed(batch: Batch, complaint: str) -> Problem:
    match = _BYTE.match(complaint)
    byte = int(match["byte"]) if match and match["byte"] else len(batch.data)
    what = match["what"] if match else complaint
    if "truncated" in what:
        # msgspec also says so of `foo`, where it expects `false`.
        whole = batch.data.startswith((b"{", b"[", b'"'))
        what = "the text ends in the middle of a value" if whole else "this is no JSON value"
    elif what.startswith("trailing"):
        byte -= 1  # msgspec counts from 1 in this complaint only
        what = "something follows the end of the document"
    elif number := _NOT_A_NUMBER.match(batch.data, byte - (batch.data[byte - 1 : byte] == b"-")):
        message = f"not JSON: {number.group().decode()} is not a JSON number"
        return _problem(batch, Code.NOT_A_NUMBER, message, number.start())
    return _problem(batch, Code.NOT_JSON, f"not JSON: {what}", byte)


def _problem(batch: Batch, code: Code, message: str, byte: int) -> Problem:
    if batch.location.row is not None:
        message = f"{message} (at byte {byte} of the cell's text)"
    return Problem(code=code, location=place_in(batch, byte), message=message, raw=batch.data)


def place_in(batch: Batch, byte: int) -> Location:
    """The place of a byte of a batch in its source.

    Inside a cell of a row, the row's own place: the cell's text has been unquoted, its columns are not the source's.
    """
    begin = batch.location
    if begin.row is not None or begin.line is None:
        return begin
    before = batch.data[:byte]
    newlines = before.count(b"\n")
    last_line = before[before.rfind(b"\n") + 1 :]
    column = code_points(last_line) + (1 if newlines else begin.column or 1)
    return Location(source=begin.source, line=begin.line + newlines, column=column, offset=begin.offset + byte)
