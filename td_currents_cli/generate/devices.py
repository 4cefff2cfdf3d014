"""Devices: phones, tablets and browsers, with their identifiers and push tokens."""

from typing import Final, NamedTuple

from td_currents_cli.generate.dice import Record, SeededRandom


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


def is_ios(number: int) -> bool:
    return _KINDS[number % len(_KINDS)] is _IPHONE


def device(seed: int, number: int) -> Record:
    """Create the device with that number: its hardware, app and push tokens."""
    rng = SeededRandom(seed, "device", number)
    kind = _KINDS[number % len(_KINDS)]
    model, version = rng.pick(kind.models), rng.pick(kind.versions)
    device_id = rng.uuid()
    return {
        "device_id": device_id,
        "platform": kind.platform,
        "os_version": f"{kind.system} {version}",
        "device_model": model,
        "device_os": kind.system,
        "device_class": kind.device_class,
        "resolution": rng.pick(kind.resolutions),
        "browser": rng.pick(kind.browsers),
        "user_agent": _user_agent(kind, model, version, rng.between(136, 142)),
        "carrier": rng.pick(("AT&T", "T-Mobile", "Vodafone", "Orange", "NTT DOCOMO", None)),
        "sdk_version": f"{rng.between(11, 13)}.{rng.below(6)}.0",
        "app_id": SeededRandom(seed, "app", kind.platform).uuid(),
        "ad_id": rng.uuid() if kind.ad_id_type else None,
        "ad_id_type": kind.ad_id_type,
        "ad_tracking_enabled": rng.chance(0.6),
        **_push_tokens(rng, kind, device_id),
    }


def _push_tokens(rng: SeededRandom, kind: _DeviceKind, device_id: str) -> Record:
    ios, web = kind is _IPHONE, kind.platform == "web"
    return {
        "push_token": rng.hex(64) if ios else f"{rng.hex(22)}:APA91b{rng.hex(120)}",
        "push_token_device_id": device_id,
        "ios_push_token_apns_gateway": rng.between(1, 2) if ios else None,
        "push_to_start_token": rng.hex(96),
        "update_token": rng.hex(96),
        "web_push_token_public_key": f"B{rng.hex(86)}" if web else None,
        "web_push_token_user_auth": rng.hex(22) if web else None,
        "web_push_token_vapid_public_key": f"B{rng.hex(86)}" if web else None,
    }


def _user_agent(kind: _DeviceKind, model: str, version: str, chrome: int) -> str:
    agent = kind.agent.replace("%v", version).replace("%_", version.replace(".", "_"))
    return agent.replace("%m", model).replace("%c", str(chrome))
