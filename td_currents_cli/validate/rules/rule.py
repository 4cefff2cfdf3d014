"""What a rule is."""

from dataclasses import dataclass
from enum import Enum, auto

from td_currents_cli.catalog.constraints import FieldLimit, Guard
from td_currents_cli.model import Code, Severity


class RuleScope(Enum):
    """What has to be looked at to see whether a rule is broken."""

    INPUT = auto()  # a file or a row, by those who read it
    DOCUMENT = auto()  # a payload, or the array of events in a row; `send` makes payloads of its own
    EVENT = auto()
    RUN = auto()  # all events of a run
    DELIVERY = auto()  # the answer of the endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of `tdcur validate`; `tdcur send` holds back the events that break one that is an error.

    A rule about one of the five fields of every event declares `limits`, from which its check, the fast passes and the
    JSON Schema are derived. Any other one has a check of its own, and names in `fast` how the fast passes refuse what
    breaks it. With neither, each event gets the careful check, and the JSON Schema does not know the rule.
    """

    code: Code
    name: str
    severity: Severity
    scope: RuleScope
    why: str  # what goes wrong when it is broken
    fix: str
    bad: str = ""  # a payload, or the part of one, that breaks it; empty where no string can show it
    good: str = ""  # the same, corrected
    limits: tuple[FieldLimit, ...] = ()
    fast: Guard | None = None
