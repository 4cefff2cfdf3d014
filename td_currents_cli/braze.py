"""Constants of Braze Currents and of Treasure Data's Postback API that several packages need."""

from typing import Final

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

CUSTOM_FIELDS: Final = ("custom_properties", "purchase_properties")
"""Properties whose fields customers name."""

MAX_EVENTS: Final = 100
"""Events in one request of Braze's sender (Braze: Currents' custom HTTP export)."""

MAX_BYTES: Final = 1_048_064
"""Size of a request body; a larger one gets HTTP 413 (Treasure Data: Postback API, version 2)."""

PAYLOAD_START: Final = b'{"events":['
PAYLOAD_END: Final = b"]}"
EMPTY_PAYLOAD: Final = PAYLOAD_START + PAYLOAD_END
