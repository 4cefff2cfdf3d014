"""Fields of responses to messages: opens, clicks, buttons, replies."""

import json
from typing import Final

from td_currents_cli.generate.dice import Record, SeededRandom
from td_currents_cli.generate.fragments import FieldGroup, one_of

_PAGES: Final = ("sale/spring", "account/orders", "p/trail-runner-2", "caf%C3%A9", "help/returns", "")
_LINK_NAMES: Final = ("hero_image", "main_cta", "footer_logo", "product_2")
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
    record: Record = {"url": address, "short_url": f"https://s.example.com/{rng.hex(7)}"}
    if rng.chance(0.7):
        record |= {"link_id": rng.hex(16), "link_alias": rng.pick(_LINK_NAMES)}
    return record


def _bot(rng: SeededRandom) -> Record:
    if rng.chance(0.9):
        return {"is_suspected_bot_click": False}
    reasons = ["user_agent", *rng.some(("ip_range", "clicked_every_link", "too_fast"), 2)]
    return {"is_suspected_bot_click": True, "suspected_bot_click_reason": reasons}


def _push_button(rng: SeededRandom) -> Record:
    text, action = rng.pick((("View", "uri"), ("Open app", "deep_link"), ("Not now", "close"), ("OK", "none")))
    return {"button_string": text, "button_action_type": action}


def _reply(rng: SeededRandom) -> Record:
    body, action = rng.pick(_REPLIES)
    pictures = [f"https://media.example.com/{rng.hex(12)}.jpg" for _ in range(rng.below(3))]
    return {"message_body": body, "action": action, "media_urls": pictures}


def _flow(rng: SeededRandom) -> Record:
    answer = {"flow_token": rng.hex(12), "rating": rng.between(1, 5), "comment": rng.pick(("très bien", "ok", ""))}
    return {"flow_response_json": json.dumps(answer, ensure_ascii=False)}


def _shop(rng: SeededRandom) -> Record:
    return {"catalog_id": rng.digits(15), "product_id": f"SKU-{rng.digits(5)}"}


def _element(rng: SeededRandom) -> Record:
    label = rng.pick(("Shop now", "Voir l'offre", "Call us"))
    return {
        "element_label": label,
        "element_type": rng.pick(("suggested_action", "suggested_reply")),
        "interaction_type": rng.pick(("click", "reply")),
    }


RESPONSES: Final = (
    one_of("is_amp", (False, False, False, True), share=0.6),
    one_of("machine_open", ("true",), share=0.3),
    FieldGroup(fields=("url", "short_url", "link_id", "link_alias"), make=_click, size=400),
    FieldGroup(fields=("is_suspected_bot_click", "suspected_bot_click_reason"), make=_bot),
    one_of("button_id", ("0", "1", "close"), share=0.8),
    FieldGroup(fields=("button_string", "button_action_type"), make=_push_button, share=0.3),
    FieldGroup(fields=("message_body", "action", "media_urls"), make=_reply, size=100),
    one_of("quick_reply_text", ("Yes", "No", "Plus tard"), share=0.3),
    FieldGroup(fields=("flow_response_json",), make=_flow, share=0.3),
    FieldGroup(fields=("catalog_id", "product_id"), make=_shop, share=0.3),
    FieldGroup(fields=("element_label", "element_type", "interaction_type"), make=_element),
)
