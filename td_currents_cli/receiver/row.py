"""From the body of a request to the row that Treasure Data makes of it."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.events.surrogates import hide_lone_surrogates
from td_currents_cli.receiver.refusal import HttpError

EVENTS: Final = "events"
TIME: Final = "time"

_RECORD_TIME: Final = "td_record_time"
_DAY: Final = 86_400


class StoredRow(Struct, frozen=True, gc=False):
    """One stored body.

    Attributes:
        time: when it was received, UNIX seconds.
        columns: JSON text of each top-level member, the sender's own characters, `events` among them.
        events: number of events, or None where `events` is not an array.
    """

    time: int
    columns: dict[str, str]
    events: int | None


def parse_row(body: bytes, received: float) -> StoredRow | None:
    """The row of a body, or None for a connection test.

    Braze tests a connection with an empty body or with `{"events": []}`. [U] What Treasure Data stores of them is not
    documented beyond "no effect on data": no row.

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
        raise HttpError(400, "the body is not JSON") from None
    return {name: restore(text.encode()).decode() for name, text in columns.items()}, count


def _decode_strict(body: bytes) -> tuple[dict[str, str], int | None]:
    members = _OBJECT.decode(body)
    # msgspec checks everything but that texts are UTF-8: this does.
    columns = {name: str(memoryview(raw), "utf-8") for name, raw in members.items()}
    events = members.get(EVENTS)
    if events is None or not columns[EVENTS].startswith("["):
        return columns, None
    return columns, len(_ARRAY.decode(events))


def _row_time(columns: dict[str, str], received: int) -> int:
    """`td_record_time` where it is near enough to be believed (7 days back, 3 ahead), else when it was received.

    [U] Only whole seconds are taken; the column itself is stored too, so that nothing is lost.
    """
    told = columns.get(_RECORD_TIME, "")
    if not told.isdecimal() or len(told) > 12:
        return received
    return int(told) if -7 * _DAY <= int(told) - received <= 3 * _DAY else received


_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_ARRAY: Final = msgspec.json.Decoder(list[Raw])
