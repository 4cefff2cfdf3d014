"""Location, Batch and Problem.

They are msgspec Structs, not dataclasses: creating a Struct takes a tenth of the time, and there may be one of each per
event.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Code(StrEnum):
    """`validate.rules` explains each."""

    UNREADABLE = "TDC001"
    NOT_JSON = "TDC002"
    NOT_UTF8 = "TDC003"
    BYTE_ORDER_MARK = "TDC004"
    EMPTY_INPUT = "TDC005"
    UNKNOWN_FORM = "TDC006"
    TOO_DEEP = "TDC007"
    DUPLICATE_KEY = "TDC008"
    NOT_A_NUMBER = "TDC009"
    NOT_AN_OBJECT = "TDC010"
    EVENTS_MISSING = "TDC011"
    EVENTS_NOT_ARRAY = "TDC012"
    EMPTY_BATCH = "TDC013"
    EMPTY_ARRAY = "TDC014"
    BARE_EVENT = "TDC015"
    OTHER_KEY = "TDC016"
    NUMBER_TOO_LARGE = "TDC017"
    DOCUMENT_TOO_LARGE = "TDC018"
    LEFT_OUT = "TDC019"
    BAD_ROW = "TDC020"
    CUT_OFF = "TDC022"
    SKIPPED = "TDC024"

    EVENT_NOT_OBJECT = "TDC101"
    EVENT_TYPE_MISSING = "TDC102"
    EVENT_TYPE_INVALID = "TDC103"
    ID_MISSING = "TDC104"
    ID_INVALID = "TDC105"
    TIME_MISSING = "TDC106"
    TIME_INVALID = "TDC107"
    USER_MISSING = "TDC108"
    USER_INVALID = "TDC109"
    PROPERTIES_MISSING = "TDC110"
    PROPERTIES_INVALID = "TDC111"
    TIME_IN_MILLISECONDS = "TDC112"
    TIME_AS_TEXT = "TDC113"
    TIME_AS_FLOAT = "TDC114"
    TIME_IN_FUTURE = "TDC115"
    TIME_TOO_OLD = "TDC116"
    REPEATED_ID = "TDC117"
    UNKNOWN_MEMBER = "TDC118"

    UNKNOWN_EVENT_TYPE = "TDC201"
    FIELD_MISSING = "TDC202"
    FIELD_TYPE = "TDC203"
    UNKNOWN_FIELD = "TDC204"
    STORAGE_ONLY_TYPE = "TDC205"
    VALUE_NOT_IN_SET = "TDC206"
    MISPLACED_FIELD = "TDC207"
    FIELD_GONE = "TDC208"

    NO_EXTERNAL_USER_ID = "TDC301"
    TOO_MANY_EVENTS = "TDC302"
    BODY_TOO_LARGE = "TDC303"
    EVENT_TOO_LARGE = "TDC304"
    COLUMN_NAME = "TDC305"
    EVENT_DROPPED = "TDC306"

    BATCH_REFUSED = "TDC401"


UNREADABLE_CODES = frozenset({Code.UNREADABLE, Code.DOCUMENT_TOO_LARGE})
"""Codes of sources that were not read to their end."""


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
    is_part: bool = False  # of a damaged line or array: a damaged part is not taken apart again
    array: Location | None = None  # where the array of documents begins that it is an element of
    is_streaming: bool = False  # made of a row of the streaming connector, without fractions and the event's own time
    is_export: bool = False  # made of records of Braze's export to cloud storage
    received: float | None = None  # receive time of the row, in UNIX seconds; None if not asked for, or unknown

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
