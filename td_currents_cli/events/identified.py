"""Whether the user of an event has an external id: Braze sends no other events to Treasure Data."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct


class _User(Struct, gc=False):
    external_user_id: Any = None


class _EventOfUser(Struct, gc=False):
    user: _User | None = None


_decoder: Final = msgspec.json.Decoder(_EventOfUser)


def is_external_id(value: object) -> bool:
    return value not in (None, "")


def is_identified(event: bytes | Raw) -> bool:
    try:
        user = _decoder.decode(event).user
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return user is not None and is_external_id(user.external_user_id)
