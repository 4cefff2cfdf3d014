"""Fields of user behavior: custom events, purchases, sessions, locations, subscriptions, Canvas progress."""

import json
from collections.abc import Callable
from typing import Final

from td_currents_cli.braze import PURCHASE
from td_currents_cli.generate.random_values import FieldGroup, Record, SeededRandom, one_of

_TITLES: Final = (
    "Trail Runner 2",
    "Café au lait - 1 kg",
    "ノイズキャンセリング ヘッドホン",
    'Monitor 27"',
    "Rain jacket (S)",
)
_BRANDS: Final = ("Example Outdoor", "Exemple & Fils", "Maison Test", "Beispiel GmbH")
_QUERIES: Final = (
    "running shoes",
    'monitor 27"',
    "cadeau été",
    "ヘッドホン",
    "size:42 AND color:blue",
    "boots\\winter",
)
_CURRENCIES: Final = ("USD", "USD", "USD", "EUR", "EUR", "GBP", "JPY", "BRL")
_SOURCES: Final = ("organic", "adjust_network", "appsflyer_media", "referral", "store_search")


def _product(rng: SeededRandom) -> Record:
    return {
        "product_id": f"SKU-{rng.digits(5)}",
        "name": rng.pick(_TITLES),
        "price": rng.amount(3, 400),
        "brand": rng.pick(_BRANDS),
    }


def _place_in_list(rng: SeededRandom) -> Record:
    path = ["home", rng.pick(("women", "men", "kids")), rng.pick(("shoes", "jackets", "audio"))]
    return {"list": {"path": path, "page": rng.between(1, 5), "position": rng.between(1, 40)}}


def _viewed(rng: SeededRandom) -> Record:
    return {**_product(rng), "in_stock": rng.chance(0.9), **_place_in_list(rng)}


def _added(rng: SeededRandom) -> Record:
    return {
        **_product(rng),
        "quantity": rng.between(1, 4),
        "coupon": rng.pick((None, "WELCOME10", "ÉTÉ25")),
        "cart": f"c-{rng.hex(20)}",
    }


def _searched(rng: SeededRandom) -> Record:
    return {
        "query": rng.pick(_QUERIES),
        "results": rng.below(300),
        "filters": rng.some(("new", "sale"), 2),
        **_place_in_list(rng),
    }


def _watched(rng: SeededRandom) -> Record:
    seconds = rng.amount(2, 600, 1)
    return {"title": rng.pick(_TITLES), "seconds": seconds, "completed": seconds > 500, "speed": 1.0}


def _played(rng: SeededRandom) -> Record:
    return {"level": rng.between(1, 99), "score": rng.below(10**7), "boosters": rng.some((1, 2, 3, 5, 8), 3)}


def _preferred(rng: SeededRandom) -> Record:
    wanted = {channel: rng.chance(0.5) for channel in ("email", "push", "sms")}
    return {"channels": wanted, "topics": rng.some(("news", "offers", "tips"), 3)}


def _ordered(rng: SeededRandom) -> Record:
    # Too many digits for a double, so that a reader that converts numbers to floats changes it.
    order = int(f"9{rng.digits(17)}")
    items = [_product(rng) for _ in range(rng.between(1, 3))]
    return {"order_id": order, "total": rng.amount(5, 900), "items": items, "gift": rng.chance(0.1)}


_CUSTOM: Final[tuple[tuple[str, Callable[[SeededRandom], Record]], ...]] = (
    ("viewed_product", _viewed),
    ("viewed_product", _viewed),
    ("viewed_product", _viewed),
    ("added_to_cart", _added),
    ("added_to_cart", _added),
    ("searched", _searched),
    ("searched", _searched),
    ("watched_video", _watched),
    ("completed_level", _played),
    ("updated_preferences", _preferred),
    ("completed_order", _ordered),
)
"""Custom events and their properties; repeated entries are more frequent."""


def _custom_event(rng: SeededRandom) -> Record:
    name, properties = rng.pick(_CUSTOM)
    return {"name": name, "custom_properties": properties(rng)}


def _purchase(rng: SeededRandom) -> Record:
    properties = {
        "name": rng.pick(_TITLES),
        "category": rng.pick(("shoes", "kitchen", "audio", "outdoor")),
        "size": rng.pick(("S", "M", "L", None)),
        "on_sale": rng.chance(0.3),
        "discount": rng.amount(0, 0.5),
        "tags": rng.some(("new", "eco", "limited", "refurbished"), 3),
        "shipping": {"method": rng.pick(("standard", "express")), "days": rng.between(1, 9)},
    }
    return {
        "product_id": f"SKU-{rng.digits(5)}",
        "price": rng.amount(1, 300),
        "currency": rng.pick(_CURRENCIES),
        "purchase_properties": properties,
    }


def _place(rng: SeededRandom) -> Record:
    return {
        "latitude": rng.amount(-60, 70, 4),
        "longitude": rng.amount(-180, 180, 4),
        "altitude": rng.amount(0, 900, 1),
        "ll_accuracy": rng.amount(3, 100, 1),
        "alt_accuracy": rng.amount(3, 30, 1),
    }


def _token_change(rng: SeededRandom) -> Record:
    return {
        "push_token_state_change_type": rng.pick(("add", "add", "update", "remove")),
        "push_token_foreground_push_disabled": rng.chance(0.1),
        "push_token_provisionally_opted_in": rng.chance(0.2),
    }


def _conversion(rng: SeededRandom) -> Record:
    index = rng.below(3)
    return {"conversion_behavior_index": index, "conversion_behavior": ("purchase", "open_app", "custom_event")[index]}


def _progression(rng: SeededRandom) -> Record:
    kind = rng.pick(("entered", "advanced", "advanced", "advanced", "exited"))
    record: Record = {"progression_type": kind, "is_canvas_entry": kind == "entered"}
    if kind == "exited":
        record["exit_reason"] = rng.pick(("completed", "exit criteria met", "audience no longer matched"))
    return record


def _profile(rng: SeededRandom) -> Record:
    return {
        "first_name": rng.pick(("Ada", "Chloé", "Jonas", "さくら")),
        "last_name": rng.pick(("Allen", "Dubois", "Müller", "佐藤")),
        "dob": f"{rng.between(1950, 2007)}-{rng.between(1, 12):02}-{rng.between(1, 28):02}",
        "home_city": rng.pick(("Chicago", "Lyon", "Köln", "東京")),
        "custom_attributes": json.dumps({"plan": rng.pick(("free", "gold")), "points": rng.below(5000)}),
    }


_SUBSCRIBING: Final = "users.behaviors.subscription"

BEHAVIORS: Final = (
    FieldGroup(fields=("name", "custom_properties"), make=_custom_event, size=600),
    FieldGroup(
        fields=("product_id", "price", "currency", "purchase_properties"), make=_purchase, size=400, of=PURCHASE
    ),
    FieldGroup(fields=("latitude", "longitude", "altitude", "ll_accuracy", "alt_accuracy"), make=_place, size=300),
    FieldGroup(fields=("duration",), make=lambda rng: {"duration": rng.amount(1, 1800, 3)}, size=300),
    FieldGroup(
        fields=(
            "push_token_state_change_type",
            "push_token_foreground_push_disabled",
            "push_token_provisionally_opted_in",
        ),
        make=_token_change,
    ),
    one_of("source", _SOURCES),
    one_of("channel", ("email",), of=_SUBSCRIBING),
    one_of("channel", ("email", "push", "sms")),
    one_of("subscription_status", ("Subscribed", "Unsubscribed", "Opted In"), of=f"{_SUBSCRIBING}."),
    one_of("subscription_status", ("Subscribed", "Unsubscribed")),
    one_of("state_change_source", ("rest_api", "sdk", "dashboard", "preference_center", "list_unsubscribe")),
    FieldGroup(fields=("conversion_behavior_index", "conversion_behavior"), make=_conversion),
    one_of("in_control_group", (False, False, False, True)),
    FieldGroup(fields=("first_name", "last_name", "dob", "home_city", "custom_attributes"), make=_profile, share=0.9),
    one_of("archived", (False, False, True)),
    one_of("update_source", ("rest_api", "sdk", "dashboard")),
    FieldGroup(fields=("orphaned_by_id",), make=lambda rng: {"orphaned_by_id": rng.hex(24)}, size=100),
    FieldGroup(fields=("progression_type", "is_canvas_entry", "exit_reason"), make=_progression),
)
