"""Fictional users, each on one of their devices.

Addresses are under example.com and example.org (RFC 2606), telephone numbers in ranges that regulators reserve for
fiction (+1 … 555 01xx in North America, Ofcom's +44 7700 900xxx, ARCEP's +33 6 39 98 xx xx).
"""

import json
from typing import Final, NamedTuple

from td_currents_cli.generate.random_values import Record, SeededRandom


class _DeviceKind(NamedTuple):
    platform: str
    system: str
    device_class: str
    models: tuple[str, ...]
    versions: tuple[str, ...]
    resolutions: tuple[str, ...]
    browsers: tuple[str, ...]
    agent: str
    """`%v` is the version, `%_` the version with underscores, `%m` the model, `%c` the version of Chrome."""
    ad_id_type: str | None = None


_CHROME: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%c.0.0.0"
_APPLE: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

_IPHONE: Final = _DeviceKind(
    platform="ios",
    system="iOS",
    device_class="Mobile",
    models=("iPhone 13", "iPhone 14 Pro", "iPhone 15", "iPhone 16 Pro Max", "iPhone SE"),
    versions=("17.6.1", "18.3.2", "18.5", "26.0.1"),
    resolutions=("1170x2532", "1179x2556", "750x1334"),
    browsers=("Mobile Safari",),
    agent=f"Mozilla/5.0 (iPhone; CPU iPhone OS %_ like Mac OS X) {_APPLE} Version/%v Mobile/15E148 Safari/604.1",
    ad_id_type="ios_idfa",
)
_ANDROID: Final = _DeviceKind(
    platform="android",
    system="Android",
    device_class="Mobile",
    models=("Pixel 8", "Pixel 9 Pro", "SM-S921B", "SM-A556E", "moto g84 5G"),
    versions=("13", "14", "15", "16"),
    resolutions=("1080x2400", "1440x3120", "1080x2340"),
    browsers=("Chrome Mobile", "Samsung Browser"),
    agent=f"Mozilla/5.0 (Linux; Android %v; %m) {_CHROME} Mobile Safari/537.36",
    ad_id_type="google_ad_id",
)
_MAC: Final = _DeviceKind(
    platform="web",
    system="macOS",
    device_class="Desktop",
    models=("Macintosh",),
    versions=("10.15.7", "14.7.1", "15.6"),
    resolutions=("1440x900", "2560x1440"),
    browsers=("Safari",),
    agent=f"Mozilla/5.0 (Macintosh; Intel Mac OS X %_) {_APPLE} Version/18.5 Safari/605.1.15",
)
_WINDOWS: Final = _DeviceKind(
    platform="web",
    system="Windows",
    device_class="Desktop",
    models=("Windows",),
    versions=("10", "11"),
    resolutions=("1920x1080", "1366x768"),
    browsers=("Chrome", "Edge"),
    agent=f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36",
)
_FIRE: Final = _DeviceKind(
    platform="kindle",
    system="Fire OS",
    device_class="Tablet",
    models=("KFTRWI", "KFRASWI"),
    versions=("9", "11"),
    resolutions=("1280x800", "2000x1200"),
    browsers=("Silk",),
    agent=f"Mozilla/5.0 (Linux; Android %v; %m) {_CHROME} Safari/537.36",
)

_KINDS: Final = (
    _IPHONE, _ANDROID, _IPHONE, _WINDOWS, _ANDROID, _IPHONE, _MAC, _ANDROID, _IPHONE, _ANDROID,
    _IPHONE, _ANDROID, _IPHONE, _WINDOWS, _ANDROID, _IPHONE, _FIRE, _ANDROID, _IPHONE, _ANDROID,
)  # fmt: skip
"""Indexed by the number of a device, so that devices of a kind can be found without creating them."""


def device(seed: int, number: int) -> Record:
    """Create the device with that number: its hardware, app and push tokens."""
    rng = SeededRandom(seed, "device", number)
    kind = _KINDS[number % len(_KINDS)]
    model, version = rng.pick(kind.models), rng.pick(kind.versions)
    ios, web = kind is _IPHONE, kind.platform == "web"
    device_id = rng.uuid()
    agent = kind.agent.replace("%v", version).replace("%_", version.replace(".", "_"))
    return {
        "device_id": device_id,
        "platform": kind.platform,
        "os_version": f"{kind.system} {version}",
        "device_model": model,
        "device_os": kind.system,
        "device_class": kind.device_class,
        "resolution": rng.pick(kind.resolutions),
        "browser": rng.pick(kind.browsers),
        "user_agent": agent.replace("%m", model).replace("%c", str(rng.between(136, 142))),
        "carrier": rng.pick(("AT&T", "T-Mobile", "Vodafone", "Orange", "NTT DOCOMO", None)),
        "sdk_version": f"{rng.between(11, 13)}.{rng.below(6)}.0",
        "app_id": SeededRandom(seed, "app", kind.platform).uuid(),
        "ad_id": rng.uuid() if kind.ad_id_type else None,
        "ad_id_type": kind.ad_id_type,
        "ad_tracking_enabled": rng.chance(0.6),
        "push_token": rng.hex(64) if ios else f"{rng.hex(22)}:APA91b{rng.hex(120)}",
        "push_token_device_id": device_id,
        "ios_push_token_apns_gateway": rng.between(1, 2) if ios else None,
        "push_to_start_token": rng.hex(96),
        "update_token": rng.hex(96),
        "web_push_token_public_key": f"B{rng.hex(86)}" if web else None,
        "web_push_token_user_auth": rng.hex(22) if web else None,
        "web_push_token_vapid_public_key": f"B{rng.hex(86)}" if web else None,
    }


USERS: Final = 3200
PEOPLE: Final = 4000
"""Pairs of a user and a device; the most active users have a second device."""

IOS_PEOPLE: Final = tuple(number for number in range(PEOPLE) if _KINDS[number % len(_KINDS)] is _IPHONE)


# Countries, languages and time zones.
_REGIONS: Final = (
    ("US", "en", ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")),
    ("US", "en", ("America/New_York", "America/Los_Angeles", "America/Phoenix")),
    ("US", "es", ("America/Los_Angeles", "America/Chicago")),
    ("GB", "en", ("Europe/London",)),
    ("FR", "fr", ("Europe/Paris",)),
    ("DE", "de", ("Europe/Berlin",)),
    ("JP", "ja", ("Asia/Tokyo",)),
    ("BR", "pt", ("America/Sao_Paulo", "America/Manaus")),
)
_AREAS: Final = ("202", "212", "305", "312", "404", "415", "503", "512", "602", "617", "702", "713", "808", "907")
_FIRST: Final = (
    "ada", "amelie", "ben", "camille", "chloe", "daniel", "elena", "emma", "farid", "grace", "hannah", "haruto", "ines",
    "jack", "jonas", "jose", "leila", "lucas", "maya", "mia", "noah", "olivia", "priya", "sakura", "soren", "zoe",
)  # fmt: skip
_LAST: Final = (
    "allen", "bauer", "chen", "costa", "dubois", "evans", "fischer", "garcia", "green", "hughes", "ito", "jensen",
    "khan", "king", "lopez", "martin", "mueller", "novak", "okafor", "patel", "rossi", "sato", "silva", "walker",
)  # fmt: skip


def person(seed: int, number: int) -> Record:
    """Create a user on a device, by number from 0 to `PEOPLE` - 1."""
    rng = SeededRandom(seed, "user", number % USERS)
    country, language, timezones = rng.pick(_REGIONS)
    match country:
        case "GB":
            phone = f"+447700900{rng.digits(3)}"
        case "FR":
            phone = f"+3363998{rng.digits(4)}"
        case _:
            phone = f"+1{rng.pick(_AREAS)}55501{rng.digits(2)}"
    domain = rng.pick(("example.com", "example.com", "example.org"))
    address = f"{rng.pick(_FIRST)}.{rng.pick(_LAST)}{rng.between(1, 99)}@{domain}"
    return {
        "user_id": rng.hex(24),
        "external_user_id": f"cus_{rng.hex(14)}",
        "timezone": rng.pick(timezones),
        "country": country,
        "language": language,
        "locale_key": f"{language}-{country}",
        "gender": rng.pick("FFFMMMONP"),
        "email_address": address,
        "channel_identifier": address,
        "recipient_domain": domain,
        "mailbox_provider": rng.pick(("google", "google", "apple", "microsoft", "yahoo")),
        "phone_number": phone,
        "to_phone_number": phone,
        "user_phone_number": phone,
        "native_line_id": f"U{rng.hex(32)}",
        "bsuid": f"{country}.{rng.digits(16)}",
        **device(seed, number),
        "app_group_id": SeededRandom(seed, "workspace").uuid(),
    }


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
    "pushnotification": "Push", "inappmessage": "IAM", "contentcard": "Content Card", "newsfeedcard": "News Feed",
    "featureflag": "Flag", "liveactivity": "Live Activity", "whatsapp": "WhatsApp",
}  # fmt: skip


def message(seed: int, channel: str, number: int) -> Record:
    """Create the sending with a number below `MESSAGES`. Channels have their own campaigns and share the Canvases."""
    rng = SeededRandom(seed, "message", channel, number)
    within = number // 2
    if number % 2:
        origin = _canvas(seed, channel, within % _CANVASES, rng)
    else:
        origin = _campaign(seed, channel, within % _CAMPAIGNS, rng)
    extras = {"cohort": rng.pick("abc"), "priority": rng.between(1, 5), "model": "propensity-v3", "ref": rng.hex(16)}
    sending = {
        "dispatch_id": rng.hex(32),
        "send_id": rng.hex(24),
        "message_extras": json.dumps(extras, separators=(",", ":")),
        "category": rng.pick(("promotional", "transactional", "service")),
    }
    return {**_NO_ORIGIN, **origin, **sending, **_sender(seed, rng), **_content(seed, channel, rng)}


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
