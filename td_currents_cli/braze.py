"""Constants of Braze Currents and of Treasure Data's Postback API that several packages need."""

from enum import StrEnum
from ipaddress import ip_address
from typing import Final

from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern
from td_currents_cli.suggestions import did_you_mean

ENVELOPE: Final = ("event_type", "id", "time")
"""Fields of an event whose values are not objects."""

PLACES: Final = ("user", "properties")
"""Fields of an event whose values are objects."""

EVENT_FIELDS: Final = (*ENVELOPE, *PLACES)

USER_FIELDS: Final = ("user_id", "external_user_id", "device_id", "timezone")
"""Fields that `user` may have."""

CUSTOM_EVENT: Final = "users.behaviors.CustomEvent"
"""The type of all events that customers name: in `properties.name`, with `properties.custom_properties`."""

PURCHASE: Final = "users.behaviors.Purchase"
"""The type that carries `properties.purchase_properties`."""

LATEST: Final = 253_402_300_799
"""The last second of the year 9999: a larger `time` is not in seconds (most likely in milliseconds)."""

CANARY: Final = "tdcur.canary"
"""The type of the events that `tdcur watch --canary` sends: none of Braze's, and left out where those are counted."""

CUSTOM_FIELD: Final = {CUSTOM_EVENT: "custom_properties", PURCHASE: "purchase_properties"}
"""The property whose fields customers name, by event type: what Braze's storage export calls `properties`."""

CUSTOM_FIELDS: Final = tuple(CUSTOM_FIELD.values())

MAX_EVENTS: Final = 100
"""Events in one request of Braze's sender (Braze: Currents' custom HTTP export)."""

MAX_BYTES: Final = 1_048_064
"""Size of a request body; a larger one gets HTTP 413 (Treasure Data: Postback API, version 2)."""

MAX_EVENT_BYTES: Final = 921_600
"""Size of an event; Braze drops larger ones (Braze: glossary of Currents events, "900 KB")."""

DROPS_AFTER: Final = (48 * 3600.0, 5 * 86_400.0)
"""Seconds without delivery after which Braze drops events for good, by its older and its newest documents."""

PAYLOAD_START: Final = b'{"events":['
PAYLOAD_END: Final = b"]}"
EMPTY_PAYLOAD: Final = PAYLOAD_START + PAYLOAD_END


MAX_NAME_LENGTH: Final = 128
_NAME: Final = pattern(rf"[a-z0-9_]{{3,{MAX_NAME_LENGTH}}}")
_WORD: Final = pattern(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER: Final = pattern(r"[^a-z0-9]+")
_MAX_LENGTH: Final = 120


POSTBACK_PATH: Final = "/postback/v3/event/"
"""Before the database and the table, in the URL of the Postback API."""


class Site(StrEnum):
    """Sites of Treasure Data; all have a Postback API v2 and a REST API."""

    us01 = "us01"
    ap01 = "ap01"
    eu01 = "eu01"
    ap02 = "ap02"
    ap03 = "ap03"


def check_name(name: str, place: str) -> None:
    """Raises UsageError for a database or table name that is not valid; the message says where it was given."""
    # The message does not repeat the name: it could be a key pasted into the wrong place.
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{place} has a database or table name that is not valid",
            hint=f"Use 3 to {MAX_NAME_LENGTH} lowercase letters, digits, or underscores.",
        )


def check_site(name: str, place: str) -> Site:
    """Return a site by its name. Raises UsageError; the message says where it was given, and as above, not what."""
    if name in set(Site):
        return Site(name)
    hint = f"{did_you_mean(name, {each: each for each in Site})} The sites are {', '.join(Site)}."
    raise UsageError(f"{place} is not a site of Treasure Data", hint=hint.lstrip())


def table_name(event_type: str) -> str:
    """The streaming connector's table name for an event type, such as `users_behaviors_purchase`; else `unknown`."""
    return _OTHER.sub("_", _WORD.sub("_", event_type).lower()).strip("_")[:_MAX_LENGTH] or "unknown"


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
