"""Fictional users, each on one of their devices.

Addresses are under example.com and example.org (RFC 2606), telephone numbers in ranges that regulators reserve for
fiction (+1 … 555 01xx in North America, Ofcom's +44 7700 900xxx, ARCEP's +33 6 39 98 xx xx).
"""

from typing import Final, NamedTuple

from td_currents_cli.generate.devices import device
from td_currents_cli.generate.dice import Record, SeededRandom

USERS: Final = 3200
PEOPLE: Final = 4000
"""Pairs of a user and a device; the most active users have a second device."""


class _Region(NamedTuple):
    country: str
    language: str
    timezones: tuple[str, ...]


_REGIONS: Final = (
    _Region("US", "en", ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")),
    _Region("US", "en", ("America/New_York", "America/Los_Angeles", "America/Phoenix")),
    _Region("US", "es", ("America/Los_Angeles", "America/Chicago")),
    _Region("GB", "en", ("Europe/London",)),
    _Region("FR", "fr", ("Europe/Paris",)),
    _Region("DE", "de", ("Europe/Berlin",)),
    _Region("JP", "ja", ("Asia/Tokyo",)),
    _Region("BR", "pt", ("America/Sao_Paulo", "America/Manaus")),
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
    user = _user(SeededRandom(seed, "user", number % USERS))
    return {**user, **device(seed, number), **_workspace(seed)}


def _user(rng: SeededRandom) -> Record:
    region = rng.pick(_REGIONS)
    phone = _phone(rng, region.country)
    domain = rng.pick(("example.com", "example.com", "example.org"))
    address = f"{rng.pick(_FIRST)}.{rng.pick(_LAST)}{rng.between(1, 99)}@{domain}"
    return {
        "user_id": rng.hex(24),
        "external_user_id": f"cus_{rng.hex(14)}",
        "timezone": rng.pick(region.timezones),
        "country": region.country,
        "language": region.language,
        "locale_key": f"{region.language}-{region.country}",
        "gender": rng.pick("FFFMMMONP"),
        "email_address": address,
        "channel_identifier": address,
        "recipient_domain": domain,
        "mailbox_provider": rng.pick(("google", "google", "apple", "microsoft", "yahoo")),
        "phone_number": phone,
        "to_phone_number": phone,
        "user_phone_number": phone,
        "native_line_id": f"U{rng.hex(32)}",
        "bsuid": f"{region.country}.{rng.digits(16)}",
    }


def _phone(rng: SeededRandom, country: str) -> str:
    if country == "GB":
        return f"+447700900{rng.digits(3)}"
    if country == "FR":
        return f"+3363998{rng.digits(4)}"
    return f"+1{rng.pick(_AREAS)}55501{rng.digits(2)}"


def _workspace(seed: int) -> Record:
    return {"app_group_id": SeededRandom(seed, "workspace").uuid()}
