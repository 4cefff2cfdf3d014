"""The five fields that every event has over HTTP, checked as the rules declare it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from td_currents_cli.braze import EVENT_FIELDS
from td_currents_cli.model import Code
from td_currents_cli.validate.finding import Violation
from td_currents_cli.validate.rules import Rule
from td_currents_cli.validate.types import kind_of, shortened


class EventFieldCheck:
    """Of each of the five fields, the first condition that its value breaks; and all other fields of the event."""

    def __init__(self, rules: Collection[Rule], now: int) -> None:
        self._now = now
        self._limits = {
            name: [(rule.code, limit) for rule in rules for limit in rule.limits if limit.field == name]
            for name in EVENT_FIELDS
        }

    def __call__(self, event: Mapping[str, Any], *, time_may_be_string: bool) -> Iterator[Violation]:
        for name, limits in self._limits.items():
            value = event.get(name)
            if time_may_be_string and name == "time" and isinstance(value, str):
                continue
            for code, limit in limits:
                if limit.refuses(value, self._now):
                    path = () if value is None else (name,)
                    yield Violation(code, path, limit.message.format(found=kind_of(value)))
                    break
        for name in event:
            if name not in EVENT_FIELDS:
                message = f"unexpected top-level field `{shortened(name)}` in the event"
                yield Violation(Code.UNKNOWN_MEMBER, (name,), message, at_name=True)
