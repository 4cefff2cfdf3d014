"""What users do: custom events, purchases, sessions, places, subscriptions, their way through Canvases."""

from collections.abc import Callable
from typing import Final

from td_currents_cli.braze import PURCHASE
from td_currents_cli.generate.details.bundle import FieldGroup, one_of
from td_currents_cli.generate.dice import Record, SeededRandom

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


def _product(dice: SeededRandom) -> Record:
    return {
        "product_id": f"SKU-{dice.digits(5)}",
        "name": dice.pick(_TITLES),
        "price": dice.amount(3, 400),
        "brand": dice.pick(_BRANDS),
    }


def _place_in_list(dice: SeededRandom) -> Record:
    path = ["home", dice.pick(("women", "men", "kids")), dice.pick(("shoes", "jackets", "audio"))]
    return {"list": {"path": path, "page": dice.between(1, 5), "position": dice.between(1, 40)}}


def _viewed(dice: SeededRandom) -> Record:
    return {**_product(dice), "in_stock": dice.chance(0.9), **_place_in_list(dice)}


def _added(dice: SeededRandom) -> Record:
    return {
        **_product(dice),
        "quantity": dice.between(1, 4),
        "coupon": dice.pick((None, "WELCOME10", "ÉTÉ25")),
        "cart": f"c-{dice.hex(20)}",
    }


def _searched(dice: SeededRandom) -> Record:
    return {
        "query": dice.pick(_QUERIES),
        "results": dice.below(300),
        "filters": dice.some(("new", "sale"), 2),
        **_place_in_list(dice),
    }


def _watched(dice: SeededRandom) -> Record:
    seconds = dice.amount(2, 600, 1)
    return {"title": dice.pick(_TITLES), "seconds": seconds, "completed": seconds > 500, "speed": 1.0}


def _played(dice: SeededRandom) -> Record:
    return {"level": dice.between(1, 99), "score": dice.below(10**7), "boosters": dice.some((1, 2, 3, 5, 8), 3)}


def _preferred(dice: SeededRandom) -> Record:
    wanted = {channel: dice.chance(0.5) for channel in ("email", "push", "sms")}
    return {"channels": wanted, "topics": dice.some(("news", "offers", "tips"), 3)}


def _ordered(dice: SeededRandom) -> Record:
    # Wider than a double can hold: what reads numbers as floats changes it.
    order = int(f"9{dice.digits(17)}")
    items = [_product(dice) for _ in range(dice.between(1, 3))]
    return {"order_id": order, "total": dice.amount(5, 900), "items": items, "gift": dice.chance(0.1)}


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
"""Custom events and what makes their properties; those that are there several times are as much more frequent."""


def _custom_event(dice: SeededRandom) -> Record:
    name, properties = dice.pick(_CUSTOM)
    return {"name": name, "custom_properties": properties(dice)}


def _purchase(dice: SeededRandom) -> Record:
    properties = {
        "name": dice.pick(_TITLES),
        "category": dice.pick(("shoes", "kitchen", "audio", "outdoor")),
        "size": dice.pick(("S", "M", "L", None)),
        "on_sale": dice.chance(0.3),
        "discount": dice.amount(0, 0.5),
        "tags": dice.some(("new", "eco", "limited", "refurbished"), 3),
        "shipping": {"method": dice.pick(("standard", "express")), "days": dice.between(1, 9)},
    }
    return {
        "product_id": f"SKU-{dice.digits(5)}",
        "price": dice.amount(1, 300),
        "currency": dice.pick(_CURRENCIES),
        "purchase_properties": properties,
    }


def _place(dice: SeededRandom) -> Record:
    return {
        "latitude": dice.amount(-60, 70, 4),
        "longitude": dice.amount(-180, 180, 4),
        "altitude": dice.amount(0, 900, 1),
        "ll_accuracy": dice.amount(3, 100, 1),
        "alt_accuracy": dice.amount(3, 30, 1),
    }


def _token_change(dice: SeededRandom) -> Record:
    return {
        "push_token_state_change_type": dice.pick(("add", "add", "update", "remove")),
        "push_token_foreground_push_disabled": dice.chance(0.1),
        "push_token_provisionally_opted_in": dice.chance(0.2),
    }


def _conversion(dice: SeededRandom) -> Record:
    index = dice.below(3)
    return {"conversion_behavior_index": index, "conversion_behavior": ("purchase", "open_app", "custom_event")[index]}


def _progression(dice: SeededRandom) -> Record:
    kind = dice.pick(("entered", "advanced", "advanced", "advanced", "exited"))
    record: Record = {"progression_type": kind, "is_canvas_entry": kind == "entered"}
    if kind == "exited":
        record["exit_reason"] = dice.pick(("completed", "exit criteria met", "audience no longer matched"))
    return record


_SUBSCRIBING: Final = "users.behaviors.subscription"

BEHAVIORS: Final = (
    FieldGroup(fields=("name", "custom_properties"), make=_custom_event, size=600),
    FieldGroup(
        fields=("product_id", "price", "currency", "purchase_properties"),
        make=_purchase,
        size=400,
        of=PURCHASE,
    ),
    FieldGroup(
        fields=("latitude", "longitude", "altitude", "ll_accuracy", "alt_accuracy"),
        make=_place,
        size=300,
    ),
    FieldGroup(fields=("duration",), make=lambda dice: {"duration": dice.amount(1, 1800, 3)}, size=300),
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
    FieldGroup(fields=("progression_type", "is_canvas_entry", "exit_reason"), make=_progression),
)
