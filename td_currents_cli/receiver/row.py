"""Conversion of a request body to the row that Treasure Data stores."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.events.json import hide_lone_surrogates
from td_currents_cli.read.scanner import is_utf8
from td_currents_cli.receiver.refusal import HttpError

EVENTS: Final = "events"
TIME: Final = "time"

_RECORD_TIME: Final = "td_record_time"
_DAY: Final = 86_400


class StoredRow(Struct, frozen=True, gc=False):
    time: int  # receive time, UNIX seconds
    columns: dict[str, str]  # JSON of each top-level field, including `events`, with the sender's characters
    events: int | None  # number of events; None if `events` is not an array


def parse_row(body: bytes, received: float) -> StoredRow | None:
    """Convert a body, or return None for a connection test.

    Braze tests a connection with an empty body or with `{"events": []}`. [U] Treasure Data documents only that these
    have "no effect on data": no row is stored.

    Raises:
        Refusal: 400, the body is not a JSON object.
    """
    if not body:
        return None
    columns, count = _decode_columns(body)
    if count == 0 and len(columns) == 1:
        return None
    return StoredRow(_row_time(columns, int(received)), columns, count)


def _decode_columns(body: bytes) -> tuple[dict[str, str], int | None]:
    try:
        return _decode_strict(body)
    except msgspec.ValidationError:
        raise HttpError(400, "the body is not a JSON object") from None
    except UnicodeDecodeError:
        raise HttpError(400, "the body is not UTF-8") from None
    except RecursionError:
        raise HttpError(400, "the body is nested too deeply") from None
    except msgspec.DecodeError:
        return _columns_with_lone_surrogates(body)


def _columns_with_lone_surrogates(body: bytes) -> tuple[dict[str, str], int | None]:
    hidden, restore = hide_lone_surrogates(body)
    try:
        columns, count = _decode_strict(hidden)
    except msgspec.DecodeError:
        raise HttpError(400, f"the body is not {'JSON' if is_utf8(body) else 'UTF-8'}") from None
    return {name: restore(text.encode()).decode() for name, text in columns.items()}, count


def _decode_strict(body: bytes) -> tuple[dict[str, str], int | None]:
    fields = _OBJECT.decode(body)
    # msgspec does not check that strings are UTF-8; this does.
    columns = {name: str(memoryview(raw), "utf-8") for name, raw in fields.items()}
    events = fields.get(EVENTS)
    if events is None or not columns[EVENTS].startswith("["):
        return columns, None
    return columns, len(_ARRAY.decode(events))


def _row_time(columns: dict[str, str], received: int) -> int:
    """Use `td_record_time` if it is plausible (up to 7 days ago or 3 days ahead), else the receive time.

    [U] Only integers are used; the column itself is stored too, so that nothing is lost.
    """
    record_time = columns.get(_RECORD_TIME, "")
    if not record_time.isdecimal() or len(record_time) > 12:
        return received
    return int(record_time) if -7 * _DAY <= int(record_time) - received <= 3 * _DAY else received


_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_ARRAY: Final = msgspec.json.Decoder(list[Raw])
