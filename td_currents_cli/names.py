"""Names of sites, databases, tables and hosts: which ones Treasure Data has, and which one is this machine."""

import re
from enum import StrEnum
from ipaddress import ip_address
from typing import Final

from td_currents_cli.errors import UsageError

_NAME: Final = re.compile(r"[a-z0-9_]{3,128}")
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 120


class Site(StrEnum):
    """The sites of Treasure Data: those that have a Postback API v2 have a REST API too."""

    us01 = "us01"
    ap01 = "ap01"
    eu01 = "eu01"
    ap02 = "ap02"
    ap03 = "ap03"


def check_name(name: str, place: str) -> None:
    """Check the name of a database or a table.

    Raises:
        UsageError: a name that Treasure Data does not allow; the message names the place it was given in.
    """
    # The name itself is not repeated: a key that was pasted into the wrong place would be shown.
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{place} holds a name that Treasure Data does not allow",
            hint="Database and table names are lower-case letters, digits and _, 3 to 128 characters.",
        )


def table_name(event_type: str) -> str:
    """An event type as the streaming connector names its table: `users.behaviors.Purchase`, `users_behaviors_purchase`.

    An event without a type is `unknown`.
    """
    return _OTHER.sub("_", _WORD.sub("_", event_type).lower()).strip("_")[:_LONGEST] or "unknown"


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
