"""Who the events are about: invented users, each on one of their devices.

Nobody real can be meant: addresses are under example.com and example.org (RFC 2606), telephone numbers in ranges
that regulators keep for fiction (+1 … 555 01xx in North America, Ofcom's +44 7700 900xxx, ARCEP's +33 6 39 98 xx xx).
"""

from typing import Final, NamedTuple

from td_currents_cli.generate.devices import device
from td_currents_cli.generate.dice import Record, SeededRandom

USERS: Final = 3200
PEOPLE: Final = 4000
"""Pairs of a user and a device. More than users: the most active ones have a second device."""


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
    """A user on a device.

    Args:
        seed: of the run: another seed, other people.
        number: from 0 to `PEOPLE` - 1.
    """
    user = _user(SeededRandom(seed, "user", number % USERS))
    return {**user, **device(seed, number), **_workspace(seed)}


def _user(dice: SeededRandom) -> Record:
    region = dice.pick(_REGIONS)
    phone = _phone(dice, region.country)
    domain = dice.pick(("example.com", "example.com", "example.org"))
    address = f"{dice.pick(_FIRST)}.{dice.pick(_LAST)}{dice.between(1, 99)}@{domain}"
    return {
        "user_id": dice.hex(24),
        "external_user_id": f"cus_{dice.hex(14)}",
        "timezone": dice.pick(region.timezones),
        "country": region.country,
        "language": region.language,
        "locale_key": f"{region.language}-{region.country}",
        "gender": dice.pick("FFFMMMONP"),
        "email_address": address,
        "channel_identifier": address,
        "recipient_domain": domain,
        "mailbox_provider": dice.pick(("google", "google", "apple", "microsoft", "yahoo")),
        "phone_number": phone,
        "to_phone_number": phone,
        "user_phone_number": phone,
        "native_line_id": f"U{dice.hex(32)}",
        "bsuid": f"{region.country}.{dice.digits(16)}",
    }


def _phone(dice: SeededRandom, country: str) -> str:
    if country == "GB":
        return f"+447700900{dice.digits(3)}"
    if country == "FR":
        return f"+3363998{dice.digits(4)}"
    return f"+1{dice.pick(_AREAS)}55501{dice.digits(2)}"


def _workspace(seed: int) -> Record:
    return {"app_group_id": SeededRandom(seed, "workspace").uuid()}
