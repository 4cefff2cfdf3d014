"""Campaigns and Canvases, and the sendings of their messages."""

import json
from typing import Final

from td_currents_cli.generate.dice import Record, SeededRandom

MESSAGES: Final = 160  # sendings per channel: even numbers belong to campaigns, odd ones to Canvases

_CAMPAIGNS: Final = 30
_CANVASES: Final = 24

_THEMES: Final = (
    "Welcome", "Spring Sale", "Summer Drop", "Back to School", "Black Friday", "Abandoned Cart", "Win-back",
    "Birthday 🎁", "Weekly Digest", "Price Alert", "New Arrivals", "Loyalty: Gold", "Feature Tour", "Rentrée - été",
    "Frühjahrsputz", "新商品のお知らせ", "Subscription Renewal", "Survey \"How did we do?\"",
)  # fmt: skip
_AUDIENCES: Final = ("all users", "EMEA", "US & Canada", "JP", "lapsed 30d", "high value", "new", "trial", "VIP")
_STEPS: Final = ("Welcome message", "Day 2 reminder", "Offer", "Last chance", "Thank you", "Fallback", "Upsell / B")
_VARIATIONS: Final = ("Variant 1", "Variant 2", "Original", "Short copy", "Emoji subject ✨")
_CHANNEL_NAMES: Final = {
    "pushnotification": "Push",
    "inappmessage": "IAM",
    "contentcard": "Content Card",
    "newsfeedcard": "News Feed",
    "featureflag": "Flag",
    "liveactivity": "Live Activity",
    "whatsapp": "WhatsApp",
}


def message(seed: int, channel: str, number: int) -> Record:
    """Create the sending with a number below `MESSAGES`. Channels have their own campaigns and share the Canvases."""
    rng = SeededRandom(seed, "message", channel, number)
    within = number // 2
    if number % 2:
        origin = _canvas(seed, channel, within % _CANVASES, rng)
    else:
        origin = _campaign(seed, channel, within % _CAMPAIGNS, rng)
    return {**_NO_ORIGIN, **origin, **_sending(rng), **_sender(seed, rng), **_content(seed, channel, rng)}


def _campaign(seed: int, channel: str, number: int, rng: SeededRandom) -> Record:
    own_rng = SeededRandom(seed, "campaign", channel, number)
    week = own_rng.between(1, 26)
    theme, audience = own_rng.pick(_THEMES), own_rng.pick(_AUDIENCES)
    title = f"2026 W{week:02d} | {theme} | {_CHANNEL_NAMES.get(channel, channel)} | {audience}"
    variation = rng.below(3)
    return {
        "campaign_id": own_rng.uuid(),
        "campaign_name": title,
        "message_variation_id": SeededRandom(seed, "variation", channel, number, variation).uuid(),
        "message_variation_name": _VARIATIONS[variation],
    }


def _canvas(seed: int, channel: str, number: int, rng: SeededRandom) -> Record:
    own_rng = SeededRandom(seed, "canvas", number)
    variation, step = rng.below(2), rng.below(4)
    title = f"Journey {own_rng.between(1, 60):03d} | {own_rng.pick(_THEMES)} | {own_rng.pick(_AUDIENCES)}"
    first = own_rng.below(len(_STEPS))
    return {
        "canvas_id": own_rng.uuid(),
        "canvas_name": title,
        "canvas_variation_id": SeededRandom(seed, "canvas variation", number, variation).uuid(),
        "canvas_variation_name": f"Variant {variation + 1}",
        "canvas_step_id": SeededRandom(seed, "step", number, step).uuid(),
        "canvas_step_name": _STEPS[(first + step) % len(_STEPS)],
        "canvas_step_message_variation_api_id": SeededRandom(seed, "step message", channel, number, step).uuid(),
        "next_step_id": SeededRandom(seed, "step", number, step + 1).uuid(),
        "experiment_step_id": SeededRandom(seed, "experiment", number).uuid(),
        "experiment_split_id": SeededRandom(seed, "split", number, variation).uuid(),
        "experiment_split_name": f"Path {'AB'[variation]}",
        "content_optimizer_step_id": SeededRandom(seed, "optimizer", number).uuid(),
        "combination_token": rng.hex(32),
    }


def _sending(rng: SeededRandom) -> Record:
    extras = {"cohort": rng.pick("abc"), "priority": rng.between(1, 5), "model": "propensity-v3", "ref": rng.hex(16)}
    return {
        "dispatch_id": rng.hex(32),
        "send_id": rng.hex(24),
        "message_extras": json.dumps(extras, separators=(",", ":")),
        "category": rng.pick(("promotional", "transactional", "service")),
    }


def _sender(seed: int, rng: SeededRandom) -> Record:
    group = SeededRandom(seed, "subscription group", rng.below(6))
    number = f"+164655501{group.digits(2)}"
    agent = f"brand_{group.hex(6)}_agent"
    return {
        "subscription_group_id": group.uuid(),
        "from_domain": rng.pick(("mail.example.com", "news.example.com", "mail.example.org")),
        "ip_pool": rng.pick(("marketing", "transactional", "warm-up")),
        "sending_ip": f"{rng.pick(('192.0.2', '198.51.100', '203.0.113'))}.{rng.between(1, 254)}",
        "esp": rng.pick(("SendGrid", "SparkPost", "Amazon SES")),
        "from_phone_number": number,
        "inbound_phone_number": number,
        "from_rcs_sender": agent,
        "to_rcs_sender": agent,
        "line_channel_id": f"200{group.digits(7)}",
        "line_channel_name": group.pick(("Example Store", "Example ストア", "Example Support")),
    }


def _content(seed: int, channel: str, rng: SeededRandom) -> Record:
    card = SeededRandom(seed, "card", channel, rng.below(30)).uuid()
    return {
        "card_id": card,
        "content_card_id": card,
        "banner_placement_id": rng.pick(("home_top", "cart_footer", "checkout_side", "search_empty")),
        "feature_flag_id_name": rng.pick(("new_checkout", "dark_mode", "one_tap_login")),
        "template_name": rng.pick(("order_update_v2", "welcome_offer", "otp_code", "rappel_panier")),
        "flow_id": rng.digits(16),
        "activity_attributes_type": rng.pick(("DeliveryAttributes", "MatchAttributes", "RideAttributes")),
    }


_NO_ORIGIN: Final[Record] = dict.fromkeys((*_campaign(0, "", 0, SeededRandom(0)), *_canvas(0, "", 0, SeededRandom(0))))
"""A message belongs to a campaign or a Canvas; the fields of the other are absent."""
