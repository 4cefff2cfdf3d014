"""Which event types a run has, how many of each, and in what order."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from td_currents_cli.braze import CUSTOM_EVENT, PURCHASE
from td_currents_cli.catalog import Catalog, EventType
from td_currents_cli.errors import UsageError
from td_currents_cli.generate.dice import SeededRandom

DECK: Final = 1000
"""Events among which each type occurs as often as its weight says, and at least once: the default run is a deck."""

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
"""How often each type occurs relative to the others; 1 for those not named. Invented, after how such funnels narrow."""


def choose_types(catalog: Catalog, patterns: Sequence[str]) -> list[EventType]:
    """The event types that the patterns ask for, of those sent over HTTP.

    Args:
        catalog: what there is.
        patterns: globs over names; one that begins with `!` takes its types away again. None at all asks for all.

    Raises:
        UsageError: a pattern matches no type, or together they leave none.
    """
    sent = [event for event in catalog.events.values() if event.http]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    for pattern in (*wanted, *unwanted):
        if not any(fnmatchcase(event.name, pattern) for event in sent):
            raise _no_match(catalog, pattern)
    events = [event for event in sent if _matches(event, wanted) and not _matches(event, unwanted)]
    if not events:
        raise UsageError(f"no event type is left by --type {' --type '.join(patterns)}", hint="take one `!…` away")
    return events


def _matches(event: EventType, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(event.name, pattern) for pattern in patterns)


def _no_match(catalog: Catalog, pattern: str) -> UsageError:
    if any(fnmatchcase(name, pattern) for name in catalog.events):
        return UsageError(
            f"--type {pattern}: not sent over HTTP", hint="Braze sends it to cloud storage only; leave it out"
        )
    near = catalog.suggest(pattern)
    hint = f"did you mean {near}?" if near else "`tdcur events` lists them; quote * so that the shell keeps it"
    return UsageError(f"--type {pattern}: no such event type", hint=hint)


def shuffled_types(events: Sequence[EventType], dice: SeededRandom) -> Iterator[EventType]:
    """Event types without end, in shuffled decks: each deck holds every type, in proportion to the weights."""
    total = sum(_weight(event) for event in events)
    spare = DECK - len(events)
    deck = [event for event in events for _ in range(1 + spare * _weight(event) // total)]
    while True:
        for place in range(len(deck) - 1, 0, -1):
            other = dice.below(place + 1)
            deck[place], deck[other] = deck[other], deck[place]
        yield from deck


def _weight(event: EventType) -> int:
    return WEIGHTS.get(event.name, 1)
