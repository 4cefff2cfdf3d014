"""Location, Batch and Problem.

They are msgspec Structs, not dataclasses: creating a Struct takes a tenth of the time, and there may be one of each per
event.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from td_currents_cli.codes import Code


class Location(Struct, frozen=True, gc=False):
    """A place in an input."""

    source: str  # the path as given, or `<stdin>`
    line: int | None = None  # from 1; None in binary formats
    column: int | None = None  # from 1, in code points
    row: int | None = None  # from 1, without the header; None in payload files
    offset: int = 0  # bytes of the (decompressed) source before it

    def __str__(self) -> str:
        places = [str(place) for place in (self.line, self.column) if place is not None]
        place = ":".join([self.source, *places])
        return place if self.row is None else f"{place} (row {self.row})"


class Batch(Struct, frozen=True, gc=False):
    """One payload document or one ingested row: the unit of the stream.

    `data` is the unchanged JSON: a payload `{"events": […]}`, an array of events, or one bare event. It may not be
    well-formed: `events.decode` finds out.
    """

    data: bytes
    location: Location  # where `data` begins, or its row
    is_utf8: bool = False  # known to be UTF-8; False if not checked

    def require_utf8(self) -> None:
        """Raises UnicodeDecodeError if the data is not UTF-8, which decoders do not check in what they skip."""
        if not (self.is_utf8 or self.data.isascii()):
            self.data.decode()


class Severity(StrEnum):
    """Severity of a problem; the most severe first. Errors make a run exit non-zero."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Excerpt(Struct, frozen=True, gc=False):
    """The line around a place, to show to the user: the only thing here with payload content."""

    text: str  # the line, or a part of a long one
    caret: int  # characters of `text` before the place
    cut_before: bool = False
    cut_after: bool = False


class Problem(Struct, frozen=True, gc=False, kw_only=True):
    """Something wrong with a record. A value in the stream, never raised."""

    code: Code
    location: Location  # of the problem itself, as exactly as known
    message: str  # one line, with names of fields and types, never with their values
    severity: Severity = Severity.ERROR
    pointer: str = ""  # RFC 6901, from the root of the batch
    event_index: int | None = None  # in its batch, from 0
    event_id: str | None = None
    event_type: str | None = None
    hint: str = ""
    raw: bytes | None = None  # the rejected batch or event, for a rejects file, never for a message
    excerpt: Excerpt | None = None  # in no machine form

    def as_dict(self) -> dict[str, object]:
        """The machine form; scripts rely on its field names."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "source": self.location.source,
            "line": self.location.line,
            "column": self.location.column,
            "row": self.location.row,
            "pointer": self.pointer,
            "event_index": self.event_index,
            "event_id": self.event_id,
            "event_type": self.event_type,
            "hint": self.hint,
        }


Record: TypeAlias = Batch | Problem
Records: TypeAlias = Iterator[Record]
