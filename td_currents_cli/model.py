"""Location, Batch and Problem: the words everything else is said in.

They are msgspec Structs, not dataclasses: one of each may be made for every event read, and a Struct is made in
a tenth of the time.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from td_currents_cli.codes import Code


class Location(Struct, frozen=True, gc=False):
    """Where something stands in an input.

    Attributes:
        source: the path as the user gave it, or `<stdin>`.
        line: from 1; None where a line means nothing (binary rows).
        column: from 1, in code points.
        row: number of the ingested row, from 1, header not counted; None for payload files.
        offset: bytes before it in the (decompressed) source.
    """

    source: str
    line: int | None = None
    column: int | None = None
    row: int | None = None
    offset: int = 0

    def __str__(self) -> str:
        places = [str(place) for place in (self.line, self.column) if place is not None]
        text = ":".join([self.source, *places])
        return text if self.row is None else f"{text} (row {self.row})"


class Batch(Struct, frozen=True, gc=False):
    """One payload document or one ingested row: the unit of the stream.

    Attributes:
        data: untouched JSON text in UTF-8: a payload `{"events": […]}`, an array of events, or one bare event.
            Not known to be well-formed: `events.decode` finds out.
        location: where `data` begins; for an ingested row, where the row begins.
        is_utf8: whether `data` is known to be UTF-8, so that nobody needs to look once more.
    """

    data: bytes
    location: Location
    is_utf8: bool = False

    def require_utf8(self) -> None:
        """Raises UnicodeDecodeError where the text is not UTF-8: what a decoder skips, it does not look at."""
        if not (self.is_utf8 or self.data.isascii()):
            self.data.decode()


class Severity(StrEnum):
    """How much a problem matters. Errors make a run exit non-zero."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Excerpt(Struct, frozen=True, gc=False):
    """The text around a place, for a person to look at: the only thing here that holds payload content.

    Attributes:
        text: the line, or a window of a long one; on one line.
        caret: how many characters of `text` stand before the place.
        cut_before: the line has more text before the window.
        cut_after: the line has more text after it.
    """

    text: str
    caret: int
    cut_before: bool = False
    cut_after: bool = False


class Problem(Struct, frozen=True, gc=False, kw_only=True):
    """A record, or a part of one, that is not as it should be. A value in the stream, never raised.

    Attributes:
        code: stable; see `codes`.
        location: the place of the problem itself, as exactly as it is known.
        message: one line; names of fields and types, never their values.
        severity: error, warning or info.
        pointer: RFC 6901, from the root of the batch.
        event_index: the event's place in its batch, from 0.
        event_id: the event's own `id`, where it has one.
        event_type: the event's own `event_type`, where it has one.
        hint: what to do about it.
        raw: the rejected record itself, where a whole batch or event was rejected; for a rejects file, never for
            a message.
        excerpt: the text around the place; shown as text where asked for, in no machine form.
    """

    code: Code
    location: Location
    message: str
    severity: Severity = Severity.ERROR
    pointer: str = ""
    event_index: int | None = None
    event_id: str | None = None
    event_type: str | None = None
    hint: str = ""
    raw: bytes | None = None
    excerpt: Excerpt | None = None

    def as_dict(self) -> dict[str, object]:
        """The machine form, with the field names scripts rely on."""
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
