"""The stable code of everything that can be said about a record.

TDC0xx the document, TDC1xx the event, TDC2xx the catalogue, TDC3xx the destination.
Scripts select and ignore by these: a code is never given a second meaning.
"""

from enum import StrEnum


class Code(StrEnum):
    """A code and the name this project calls it by; `validate.rules` explains each."""

    UNREADABLE = "TDC001"
    NOT_JSON = "TDC002"
    NOT_UTF8 = "TDC003"
    BYTE_ORDER_MARK = "TDC004"
    EMPTY_INPUT = "TDC005"
    UNKNOWN_FORM = "TDC006"
    TOO_DEEP = "TDC007"
    NOT_AN_OBJECT = "TDC010"
    EVENTS_MISSING = "TDC011"
    EVENTS_NOT_ARRAY = "TDC012"
    EMPTY_BATCH = "TDC013"
    BAD_ROW = "TDC020"

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

    UNKNOWN_EVENT_TYPE = "TDC201"
    FIELD_MISSING = "TDC202"
    FIELD_TYPE = "TDC203"
    UNKNOWN_FIELD = "TDC204"

    NO_EXTERNAL_USER_ID = "TDC301"
