"""Fields that belong together: of agents and tools, of user behavior, of deliveries, and of clicks and replies."""

import json
from typing import Final

from td_currents_cli.braze import PURCHASE
from td_currents_cli.generate.random_values import FieldGroup, Record, SeededRandom, one_of

_AGENTS: Final = ("Subject line writer", "Product recommender", "Reply classifier", "Translation helper")
_MODELS: Final = (("model-large-2026-05", "example-ai"), ("model-small-2026-05", "example-ai"), ("fast-3", "other-ai"))
_QUESTIONS: Final = (
    "Recommend three products for {{${first_name}}}",
    'Is this reply positive?\n"Merci beaucoup !"',
    "Write a subject line for the spring sale",
    "新商品を紹介してください",
)
_OUTPUTS: Final = (
    "SKU-10442, SKU-20981, SKU-77310",
    '{"label": "positive", "score": 0.93}',
    "Spring is here 🌷",
    "はい",
)
_TOOLS: Final = ("catalog_lookup", "user_attributes", "recent_events", "translate")


def _agent(rng: SeededRandom) -> Record:
    number = rng.below(len(_AGENTS))
    return {
        "agent_id": SeededRandom(0, "agent", number).uuid(),
        "agent_name": _AGENTS[number],
        "invocation_source": rng.pick(("canvas", "catalog", "preview")),
    }


def _model(rng: SeededRandom) -> Record:
    name, provider = rng.pick(_MODELS)
    return {"model_name": name, "model_provider": provider, "llm_owned_by_customer": rng.chance(0.3)}


def _tokens(rng: SeededRandom) -> Record:
    prompt, completion, reasoning = rng.between(120, 4000), rng.between(5, 900), rng.between(0, 500)
    cached = rng.below(prompt) if rng.chance(0.4) else 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "reasoning_tokens": reasoning,
        "total_tokens": prompt + completion + reasoning,
        "cache_tokens": cached,
        "cache_hit": cached > 0,
    }


def _run(rng: SeededRandom) -> Record:
    failed = rng.chance(0.1)
    return {
        "duration": rng.between(180, 9000),
        "is_error": failed,
        "error": rng.pick(("timeout", "rate limit of the provider", "invalid tool arguments")) if failed else None,
    }


def _tool(rng: SeededRandom) -> Record:
    arguments = {"query": rng.pick(("boots", "SKU-10442", "dernière commande")), "limit": rng.between(1, 10)}
    return {"tool_name": rng.pick(_TOOLS), "tool_arguments": json.dumps(arguments, ensure_ascii=False)}


_TITLES: Final = (
    "Trail Runner 2",
    "Café au lait - 1 kg",
    "ノイズキャンセリング ヘッドホン",
    'Monitor 27"',
    "Rain jacket (S)",
)
_QUERIES: Final = (
    "running shoes",
    'monitor 27"',
    "cadeau été",
    "ヘッドホン",
    "size:42 AND color:blue",
    "boots\\winter",
)
_CUSTOM_EVENTS: Final = (
    "viewed_product", "viewed_product", "viewed_product", "added_to_cart", "added_to_cart", "searched", "searched",
    "watched_video", "completed_level", "updated_preferences", "completed_order",
)  # fmt: skip
"""Repeated names are more frequent."""


def _custom_event(rng: SeededRandom) -> Record:
    name = rng.pick(_CUSTOM_EVENTS)
    properties: Record
    match name:
        case "viewed_product":
            properties = {**_product(rng), "in_stock": rng.chance(0.9), **_place_in_list(rng)}
        case "added_to_cart":
            coupons = (None, "WELCOME10", "ÉTÉ25")
            properties = {**_product(rng), "quantity": rng.between(1, 4), "coupon": rng.pick(coupons)}
            properties["cart"] = f"c-{rng.hex(20)}"
        case "searched":
            properties = {"query": rng.pick(_QUERIES), "results": rng.below(300)}
            properties |= {"filters": rng.some(("new", "sale"), 2), **_place_in_list(rng)}
        case "watched_video":
            seconds = rng.amount(2, 600, 1)
            properties = {"title": rng.pick(_TITLES), "seconds": seconds, "completed": seconds > 500, "speed": 1.0}
        case "completed_level":
            boosters = (1, 2, 3, 5, 8)
            properties = {"level": rng.between(1, 99), "score": rng.below(10**7), "boosters": rng.some(boosters, 3)}
        case "updated_preferences":
            wanted = {channel: rng.chance(0.5) for channel in ("email", "push", "sms")}
            properties = {"channels": wanted, "topics": rng.some(("news", "offers", "tips"), 3)}
        case _:
            # Too many digits for a double, so that a reader that converts numbers to floats changes it.
            order = int(f"9{rng.digits(17)}")
            items = [_product(rng) for _ in range(rng.between(1, 3))]
            properties = {"order_id": order, "total": rng.amount(5, 900), "items": items, "gift": rng.chance(0.1)}
    return {"name": name, "custom_properties": properties}


def _product(rng: SeededRandom) -> Record:
    return {
        "product_id": f"SKU-{rng.digits(5)}",
        "name": rng.pick(_TITLES),
        "price": rng.amount(3, 400),
        "brand": rng.pick(("Example Outdoor", "Exemple & Fils", "Maison Test", "Beispiel GmbH")),
    }


def _place_in_list(rng: SeededRandom) -> Record:
    path = ["home", rng.pick(("women", "men", "kids")), rng.pick(("shoes", "jackets", "audio"))]
    return {"list": {"path": path, "page": rng.between(1, 5), "position": rng.between(1, 40)}}


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
        "currency": rng.pick(("USD", "USD", "USD", "EUR", "EUR", "GBP", "JPY", "BRL")),
        "purchase_properties": properties,
    }


def _conversion(rng: SeededRandom) -> Record:
    index = rng.below(3)
    return {"conversion_behavior_index": index, "conversion_behavior": ("purchase", "open_app", "custom_event")[index]}


def _progression(rng: SeededRandom) -> Record:
    kind = rng.pick(("entered", "advanced", "advanced", "advanced", "exited"))
    reasons = ("completed", "exit criteria met", "audience no longer matched")
    reason = rng.pick(reasons) if kind == "exited" else None
    return {"progression_type": kind, "is_canvas_entry": kind == "entered", "exit_reason": reason}


_BOUNCES: Final = (
    "550 5.1.1 <{address}> mailbox does not exist",
    "552 5.2.2 mailbox full",
    "421 4.7.0 too many connections, try again later",
    "554 5.7.1 message refused by local policy",
)
_PROVIDER_ERRORS: Final = (
    ("30003", "Unreachable destination handset"),
    ("30006", "Landline or unreachable carrier"),
    ("30007", "Carrier violation"),
    ("131026", "Message undeliverable"),
    ("131047", "Re-engagement message"),
)
_ABORTS: Final = {
    "liquid_abort_message": "abort_message('no coupon left') in line 3",
    "quiet_hours": "quiet hours 22:00 to 07:00 in the user's time zone",
    "rate_limit": "more than 5,000 messages a minute",
}
_HOOKS: Final = ("/v1/braze", "/hooks/orders?source=braze", "/api/notify")
_HOOK_ANSWERS: Final = ((500, "Internal Server Error"), (502, "Bad Gateway"), (404, '{"error":"no such route"}'))


def _abort(rng: SeededRandom) -> Record:
    kind = rng.pick(("liquid_abort_message", *_ABORTS))
    return {"abort_type": kind, "abort_log": _ABORTS[kind]}


def _retry(rng: SeededRandom) -> Record:
    seconds = rng.pick((15, 30, 60, 120))
    return {"retry_type": rng.pick(("rate_limit", "provider_error")), "retry_log": f"trying again in {seconds} s"}


def _bounce(rng: SeededRandom) -> Record:
    reason = rng.pick(_BOUNCES).format(address=f"user{rng.digits(4)}@example.com")
    return {"bounce_reason": reason, "is_drop": rng.chance(0.2)}


def _deferral(rng: SeededRandom) -> Record:
    wait = rng.pick((60, 300, 900))
    return {"deferral_reason": f"451 4.7.1 greylisted, wait {wait} s", "attempt_count": rng.between(1, 6)}


def _refusal(rng: SeededRandom) -> Record:
    code, title = rng.pick(_PROVIDER_ERRORS)
    return {"provider_error_code": code, "provider_error_title": title, "error": title}


def _webhook_failure(rng: SeededRandom) -> Record:
    host, path = rng.pick(("hooks.example.com", "api.example.org")), rng.pick(_HOOKS)
    status, answer = rng.pick(_HOOK_ANSWERS)
    retries = rng.below(6)
    return {
        "endpoint_url": f"https://{host}{path}",
        "host": host,
        "url_path": path,
        "http_status_code": status,
        "raw_response": answer,
        "content_length": len(answer),
        "retry_count": retries,
        "is_terminal": retries == 5,
        "webhook_duration": rng.between(40, 30_000),
        "webhook_failure_source": rng.pick(("endpoint", "network", "rate_limit")),
    }


_PAGES: Final = ("sale/spring", "account/orders", "p/trail-runner-2", "caf%C3%A9", "help/returns", "")
_LINK_NAMES: Final = ("hero_image", "main_cta", "footer_logo", "product_2")
_BUTTONS: Final[tuple[Record, ...]] = (
    {"button_string": "View", "button_action_type": "uri"},
    {"button_string": "Open app", "button_action_type": "deep_link"},
    {"button_string": "Not now", "button_action_type": "close"},
    {"button_string": "OK", "button_action_type": "none"},
)
_REPLIES: Final = (
    ("STOP", "Unsubscribed"),
    ("START", "Subscribed"),
    ("Oui, merci 👍", "None"),
    ('Where is my order "A-1042"?', "None"),
    ("Line one\nline two", "None"),
    ("返品したいです", "None"),
    ("C:\\temp, 100% sure; yes", "None"),
)


def _click(rng: SeededRandom) -> Record:
    address = f"https://www.example.com/{rng.pick(_PAGES)}?utm_source=braze&utm_campaign={rng.hex(6)}"
    urls = {"url": address, "short_url": f"https://s.example.com/{rng.hex(7)}"}
    if rng.chance(0.7):
        return {**urls, "link_id": rng.hex(16), "link_alias": rng.pick(_LINK_NAMES)}
    return {**urls, "link_id": None, "link_alias": None}


def _bot(rng: SeededRandom) -> Record:
    if rng.chance(0.9):
        return {"is_suspected_bot_click": False, "suspected_bot_click_reason": None}
    reasons = ["user_agent", *rng.some(("ip_range", "clicked_every_link", "too_fast"), 2)]
    return {"is_suspected_bot_click": True, "suspected_bot_click_reason": reasons}


def _reply(rng: SeededRandom) -> Record:
    body, action = rng.pick(_REPLIES)
    pictures = [f"https://media.example.com/{rng.hex(12)}.jpg" for _ in range(rng.below(3))]
    return {"message_body": body, "action": action, "media_urls": pictures}


def _flow(rng: SeededRandom) -> Record:
    answer = {"flow_token": rng.hex(12), "rating": rng.between(1, 5), "comment": rng.pick(("très bien", "ok", ""))}
    return {"flow_response_json": json.dumps(answer, ensure_ascii=False)}


_SUBSCRIBING: Final = "users.behaviors.subscription"

FIELD_GROUPS: Final = (
    FieldGroup(_agent),
    FieldGroup(_model),
    FieldGroup(_tokens),
    FieldGroup(_run, size=100, of="agentconsole."),
    FieldGroup(lambda rng: {"input": rng.pick(_QUESTIONS), "output": rng.pick(_OUTPUTS)}, share=0.8),
    one_of("thinking_level", ("low", "medium", "high"), share=0.6),
    FieldGroup(_tool),
    FieldGroup(_custom_event, size=600),
    FieldGroup(_purchase, size=400, of=PURCHASE),
    FieldGroup(
        lambda rng: {
            "latitude": rng.amount(-60, 70, 4),
            "longitude": rng.amount(-180, 180, 4),
            "altitude": rng.amount(0, 900, 1),
            "ll_accuracy": rng.amount(3, 100, 1),
            "alt_accuracy": rng.amount(3, 30, 1),
        },
        size=300,
    ),
    FieldGroup(lambda rng: {"duration": rng.amount(1, 1800, 3)}, size=300),
    FieldGroup(
        lambda rng: {
            "push_token_state_change_type": rng.pick(("add", "add", "update", "remove")),
            "push_token_foreground_push_disabled": rng.chance(0.1),
            "push_token_provisionally_opted_in": rng.chance(0.2),
        }
    ),
    one_of("source", ("organic", "adjust_network", "appsflyer_media", "referral", "store_search")),
    one_of("channel", ("email",), of=_SUBSCRIBING),
    one_of("channel", ("email", "push", "sms")),
    one_of("subscription_status", ("Subscribed", "Unsubscribed", "Opted In"), of=f"{_SUBSCRIBING}."),
    one_of("subscription_status", ("Subscribed", "Unsubscribed")),
    one_of("state_change_source", ("rest_api", "sdk", "dashboard", "preference_center", "list_unsubscribe")),
    FieldGroup(_conversion),
    one_of("in_control_group", (False, False, False, True)),
    FieldGroup(
        lambda rng: {
            "first_name": rng.pick(("Ada", "Chloé", "Jonas", "さくら")),
            "last_name": rng.pick(("Allen", "Dubois", "Müller", "佐藤")),
            "dob": f"{rng.between(1950, 2007)}-{rng.between(1, 12):02}-{rng.between(1, 28):02}",
            "home_city": rng.pick(("Chicago", "Lyon", "Köln", "東京")),
            "custom_attributes": json.dumps({"plan": rng.pick(("free", "gold")), "points": rng.below(5000)}),
        },
        share=0.9,
    ),
    one_of("archived", (False, False, True)),
    one_of("update_source", ("rest_api", "sdk", "dashboard")),
    FieldGroup(lambda rng: {"orphaned_by_id": rng.hex(24)}, size=100),
    FieldGroup(_progression),
    FieldGroup(_abort),
    FieldGroup(_retry),
    FieldGroup(_bounce, size=100),
    FieldGroup(_deferral),
    FieldGroup(_refusal, share=0.9),
    FieldGroup(_webhook_failure),
    one_of("is_sms_fallback", (False, False, True), share=0.5),
    one_of("live_activity_event_type", ("start", "update", "update", "end")),
    one_of("live_activity_event_outcome", ("delivered", "delivered", "token_expired", "dismissed")),
    FieldGroup(lambda rng: {"activity_id": rng.uuid()}, size=100),
    one_of("is_amp", (False, False, False, True), share=0.6),
    one_of("is_unique", (True, True, False), share=0.9),
    one_of("has_url_parameters", (True, False), share=0.8),
    one_of("link_aliasing_enabled", (True, False), share=0.8),
    one_of("machine_open", ("true",), share=0.3),
    FieldGroup(_click, size=400),
    FieldGroup(_bot),
    one_of("button_id", ("0", "1", "close"), share=0.8),
    FieldGroup(lambda rng: rng.pick(_BUTTONS), share=0.3),
    FieldGroup(_reply, size=100),
    one_of("quick_reply_text", ("Yes", "No", "Plus tard"), share=0.3),
    FieldGroup(_flow, share=0.3),
    FieldGroup(lambda rng: {"catalog_id": rng.digits(15), "product_id": f"SKU-{rng.digits(5)}"}, share=0.3),
    FieldGroup(
        lambda rng: {
            "element_label": rng.pick(("Shop now", "Voir l'offre", "Call us")),
            "element_type": rng.pick(("suggested_action", "suggested_reply")),
            "interaction_type": rng.pick(("click", "reply")),
        }
    ),
)
"""In order of precedence: a field in several groups is taken from the first one that fits the event type."""
