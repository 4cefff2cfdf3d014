"""What can be required of an event: the vocabulary in which validation rules are declared.

The fast passes of `validate` and `send` and the JSON Schema are derived from these declarations.
"""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from enum import Enum, auto
from typing import Any, Final

from td_currents_cli.model import Code, Severity

JSON_TYPES: Final[dict[type, str]] = {
    type(None): "null",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}


class Guard(Enum):
    """A rule with a check of its own: how the fast passes and the JSON Schema refuse what breaks it."""

    JSON = auto()  # not an object with an array `events` of objects, or not JSON at all
    UTF8 = auto()
    DEPTH = auto()  # too many levels of arrays and objects
    UNIQUE_NAMES = auto()  # a duplicate key in an object
    INT64 = auto()  # a number beyond 64 bits
    EVENT_COUNT = auto()  # no events in the payload, or too many
    SIZE = auto()  # the payload or the event is too large for a request
    EVENT_SIZE = auto()  # the event is too large for Braze
    ONLY_EVENTS = auto()  # a field next to `events`
    ONLY_EVENT_FIELDS = auto()  # a field next to the five of every event
    ONLY_KNOWN_FIELDS = auto()  # a field that `user` or `properties` does not have in the catalog
    KNOWN_TYPE = auto()  # an event type that is not in the catalog
    SENT_OVER_HTTP = auto()  # an event type or a field that is in the catalog, but not sent
    REQUIRED_FIELDS = auto()
    FIELD_TYPES = auto()
    FIELD_VALUES = auto()  # a value outside the set that the catalog lists
    EXTERNAL_USER_ID = auto()
    COLUMN_NAMES = auto()  # a custom property that cannot be a column

    @property
    def is_strict(self) -> bool:
        """Whether the strict form of the schema refuses it in any case: what the catalog does not list."""
        return self in _STRICT


_STRICT: Final = {
    Guard.ONLY_EVENTS,
    Guard.ONLY_EVENT_FIELDS,
    Guard.ONLY_KNOWN_FIELDS,
    Guard.KNOWN_TYPE,
    Guard.FIELD_VALUES,
}


@dataclass(frozen=True, slots=True)
class FieldLimit:
    """A condition on one of the five fields of every event; its check, fast passes and JSON Schema are derived.

    It applies only to values of the type it is about: `max_length` to strings, `minimum` to integers.
    """

    field: str
    message: str  # with `{found}` for the type of the value
    _: KW_ONLY
    hint: str = ""  # how to fix it, if more specific than the rule says
    required: bool = False  # neither absent nor null
    refused_types: frozenset[str] = frozenset()  # as in `JSON_TYPES`; null is what `required` is for
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    below: int | None = None
    max_ahead: int | None = None  # seconds after now

    def __post_init__(self) -> None:
        """Refuse a declaration that the fast passes and the schema would ignore."""
        lengths = self.min_length is not None or self.max_length is not None
        bounds = self.minimum is not None or self.below is not None or self.max_ahead is not None
        if (lengths and self.field not in {"event_type", "id"}) or (bounds and self.field != "time"):
            raise TypeError(f"no such limit for `{self.field}`")

    def refuses(self, value: Any, now: int) -> bool:  # noqa: ANN401 -- any JSON value
        if value is None:
            return self.required
        if JSON_TYPES[type(value)] in self.refused_types:
            return True
        if isinstance(value, str):
            return len(value) < (self.min_length or 0) or (self.max_length is not None and len(value) > self.max_length)
        if isinstance(value, int) and not isinstance(value, bool):
            return (
                (self.minimum is not None and value < self.minimum)
                or (self.below is not None and value >= self.below)
                or (self.max_ahead is not None and value > now + self.max_ahead)
            )
        return False

    def as_schema(self) -> dict[str, Any]:
        """The keywords of JSON Schema; not for types, which depend on all limits of the field."""
        keywords = {
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "minimum": self.minimum,
            "exclusiveMaximum": self.below,
        }
        return {keyword: value for keyword, value in keywords.items() if value is not None}


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
    severity: Severity = Severity.ERROR
    scope: RuleScope = RuleScope.EVENT
    why: str  # what goes wrong when it is broken
    fix: str
    bad: str = ""  # a payload, or the part of one, that breaks it; empty where no string can show it
    good: str = ""  # the same, corrected
    limits: tuple[FieldLimit, ...] = ()
    fast: Guard | None = None


def limits_of(rules: Iterable[Rule], field: str) -> list[FieldLimit]:
    """The limits of one of the five fields, in the order of the rules."""
    return [limit for rule in rules for limit in rule.limits if limit.field == field]


def accepted_types(limits: Iterable[FieldLimit]) -> list[str]:
    """The JSON types that a field with these limits may have. To JSON Schema, an integer is a number too."""
    refused = {name for limit in limits for name in limit.refused_types}
    refused |= {"null"} if any(limit.required for limit in limits) else set()
    return [name for name in JSON_TYPES.values() if name not in refused]
