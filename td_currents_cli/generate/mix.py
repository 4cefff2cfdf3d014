"""Event types of a run, their frequencies and their order."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from td_currents_cli.braze import CUSTOM_EVENT, PURCHASE
from td_currents_cli.catalog import Catalog, EventType
from td_currents_cli.errors import UsageError
from td_currents_cli.generate.dice import SeededRandom

DECK: Final = 1000  # events in which each type occurs in proportion to its weight, at least once; the default run

WEIGHTS: Final[Mapping[str, int]] = {
    "users.messages.email.Send": 150,
    "users.messages.email.Delivery": 145,
    "users.messages.email.Open": 120,
    "users.messages.email.Click": 30,
    "users.messages.email.Bounce": 3,
    "users.messages.email.SoftBounce": 4,
    "users.messages.email.Deferral": 3,
    "users.messages.email.Unsubscribe": 3,
    "users.messages.pushnotification.Send": 140,
    "users.messages.pushnotification.Open": 14,
    "users.messages.pushnotification.Bounce": 4,
    "users.messages.pushnotification.IosForeground": 8,
    "users.messages.inappmessage.Impression": 40,
    "users.messages.inappmessage.Click": 8,
    "users.messages.contentcard.Send": 20,
    "users.messages.contentcard.Impression": 18,
    "users.messages.contentcard.Click": 4,
    "users.messages.contentcard.Dismiss": 2,
    "users.messages.banner.Impression": 10,
    "users.messages.banner.Click": 2,
    "users.messages.sms.Send": 10,
    "users.messages.sms.CarrierSend": 9,
    "users.messages.sms.Delivery": 9,
    "users.messages.sms.ShortLinkClick": 2,
    "users.messages.whatsapp.Send": 5,
    "users.messages.whatsapp.Delivery": 5,
    "users.messages.whatsapp.Read": 3,
    "users.messages.webhook.Send": 6,
    CUSTOM_EVENT: 80,
    PURCHASE: 15,
    "users.behaviors.app.SessionStart": 30,
    "users.behaviors.app.SessionEnd": 26,
    "users.behaviors.app.FirstSession": 4,
    "users.behaviors.Location": 4,
    "users.behaviors.pushnotification.TokenStateChange": 3,
    "users.canvas.Entry": 8,
    "users.canvasstep.Progression": 25,
    "users.canvas.Conversion": 2,
    "users.campaigns.Conversion": 4,
    "users.campaigns.EnrollInControl": 2,
}
"""Relative frequency of each type, by default 1. Invented, in the proportions of typical funnels."""


def choose_types(catalog: Catalog, patterns: Sequence[str]) -> list[EventType]:
    """Select, by globs, event types that are sent over HTTP; `!` before a glob excludes its types.

    Raises:
        UsageError: a pattern matches no type, or no type is left.
    """
    sent = [event for event in catalog.events.values() if event.http]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    for pattern in (*wanted, *unwanted):
        if not any(fnmatchcase(event.name, pattern) for event in sent):
            raise _no_match(catalog, pattern)
    events = [event for event in sent if _matches(event, wanted) and not _matches(event, unwanted)]
    if not events:
        raise UsageError(f"no event types left by --type {' --type '.join(patterns)}", hint="Remove a `!…`.")
    return events


def _matches(event: EventType, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(event.name, pattern) for pattern in patterns)


def _no_match(catalog: Catalog, pattern: str) -> UsageError:
    if any(fnmatchcase(name, pattern) for name in catalog.events):
        return UsageError(
            f"--type {pattern}: not sent over HTTP", hint="Braze only exports it to cloud storage; remove it."
        )
    near = catalog.suggest(pattern)
    hint = (
        f"did you mean {near}?"
        if near
        else "`tdcur events` lists all types; quote * so that the shell does not expand it"
    )
    return UsageError(f"--type {pattern}: no such event type", hint=hint)


def shuffled_types(events: Sequence[EventType], rng: SeededRandom) -> Iterator[EventType]:
    """Yield event types endlessly, in shuffled decks that contain every type in proportion to the weights."""
    total = sum(_weight(event) for event in events)
    spare = DECK - len(events)
    deck = [event for event in events for _ in range(1 + spare * _weight(event) // total)]
    while True:
        for place in range(len(deck) - 1, 0, -1):
            other = rng.below(place + 1)
            deck[place], deck[other] = deck[other], deck[place]
        yield from deck


def _weight(event: EventType) -> int:
    return WEIGHTS.get(event.name, 1)
