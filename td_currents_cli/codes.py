"""The stable code of everything that can be said about a record.

TDC0xx the document, TDC1xx the event, TDC2xx the catalogue, TDC3xx the destination, TDC4xx the delivery.
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
    BAD_ROW = "TDC020"
    CUT_OFF = "TDC022"

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

    BATCH_REFUSED = "TDC401"
