"""A received payload for the page: its JSON as a tree, with the problems that `validate` finds in it."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from td_currents_cli.braze import PLACES
from td_currents_cli.catalog import load
from td_currents_cli.events.json import is_too_deep, syntax_problem
from td_currents_cli.events.mask import Masking
from td_currents_cli.live_page.recent import ReceivedPayload
from td_currents_cli.live_page.summary import LatestRequest
from td_currents_cli.model import Batch, Location, Problem, Severity
from td_currents_cli.validate.checker import Checker
from td_currents_cli.validate.duplicate_ids import DuplicateIds, duplicate_id_problems

MAX_NODES: Final = 20_000
MAX_STRING: Final = 2000
MAX_LEVELS: Final = 60
MAX_PROBLEMS: Final = 200
HIDDEN: Final = "***"
_CHECKER_SECONDS: Final = 600


class Node(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value of the JSON. Of a long string, the beginning is shown; of many values, the first ones."""

    name: str | None = None  # of the field
    kind: str
    text: str | None = None  # the characters of a string; any other scalar as it was sent
    cut: int = 0  # characters of the text that are left out
    hidden: bool = False  # personal data
    size: int = 0  # of an array or object
    children: Sequence["Node"] = ()  # fewer than `size`, if there is no room for more
    pointer: str = ""  # RFC 6901
    label: str | UnsetType = UNSET  # of an event: its type
    problems: Sequence[int] = ()  # indexes of the problems at this value
    errors: int = 0  # here and below
    warnings: int = 0


class PayloadView(Struct, frozen=True, kw_only=True):
    request: LatestRequest
    masked: bool
    problems: Sequence[dict[str, object]]  # in the machine form of `validate`, the first ones
    problems_total: int
    errors: int
    warnings: int
    tree: Node | None  # None: the body is not JSON
    text: str | None  # the beginning of a body that is not JSON, unless personal data is hidden


def check(body: bytes, now: float) -> Sequence[Problem]:
    """Check a body by all rules; ids are compared within it."""
    batch = Batch(body, Location("<payload>", 1, 1))
    problems: list[Problem] = []
    for result in _checker(int(now) // _CHECKER_SECONDS * _CHECKER_SECONDS)(batch):
        problems += result.problems
        ids = DuplicateIds()
        try:
            duplicates = ids.add(result.location, result.ids)
        finally:
            ids.close()
        if duplicates:
            problems += duplicate_id_problems(lambda: batch, result.location, duplicates, exact=True)
    return problems


@lru_cache(maxsize=1)
def _checker(now: int) -> Checker:
    return Checker(load(), now)


def count_problems(payload: ReceivedPayload) -> None:
    """Count the problems of a payload in it. Takes time: not in the thread that serves requests."""
    problems = check(payload.body, payload.request.at)
    payload.errors, payload.warnings = _count(problems, Severity.ERROR), _count(problems, Severity.WARNING)


def _count(problems: Sequence[Problem], severity: Severity) -> int:
    return sum(problem.severity is severity for problem in problems)


def view(payload: ReceivedPayload, *, masked: bool) -> PayloadView:
    """Describe a payload. Takes time, too."""
    problems = check(payload.body, payload.request.at)
    is_json = not is_too_deep(payload.body) and syntax_problem(Batch(payload.body, Location("<payload>"))) is None
    return PayloadView(
        request=payload.request,
        masked=masked,
        problems=[problem.as_dict() for problem in problems[:MAX_PROBLEMS]],
        problems_total=len(problems),
        errors=_count(problems, Severity.ERROR),
        warnings=_count(problems, Severity.WARNING),
        tree=_Tree(problems, masking=_Hiding() if masked else None).document(payload.body) if is_json else None,
        text=None if is_json or masked else payload.body[:MAX_STRING].decode(errors="replace"),
    )


class _Hiding(Masking):
    """Shows that there is personal data."""

    def __init__(self) -> None:
        super().__init__(None)

    def replacement(self, _string: str) -> object:
        return HIDDEN


class _Number(str):
    """A number as it was sent."""

    __slots__ = ()


_Pairs: TypeAlias = list[tuple[str, Any]]


class _Object:
    """The fields of an object; a name may occur twice."""

    __slots__ = ("fields",)

    def __init__(self, fields: _Pairs) -> None:
        self.fields = fields


def _decode(text: bytes) -> Any:  # noqa: ANN401 -- any JSON value
    return json.loads(text, object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def _encode(value: Any) -> str:  # noqa: ANN401 -- as above
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, _Object):
        return "{" + ",".join(f"{json.dumps(name)}:{_encode(each)}" for name, each in value.fields) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_encode, value)) + "]"
    return json.dumps(value)


class _Tree:
    """Builds the nodes of one document, up to a number."""

    def __init__(self, problems: Sequence[Problem], masking: Masking | None) -> None:
        self._problems = problems
        self._at: dict[str, list[int]] = {}
        for index, problem in enumerate(problems):
            self._at.setdefault(problem.pointer, []).append(index)
        self._masking = masking
        self._left = MAX_NODES

    def document(self, body: bytes) -> Node:
        value = _decode(body)
        if isinstance(value, _Object) and any(name == "events" for name, _ in value.fields):
            return self._container(None, "", "object", len(value.fields), self._payload_fields(value))
        if isinstance(value, list):
            return self._container(None, "", "array", len(value), self._events(value, ""))
        return self._event(value, None, "")

    def _payload_fields(self, payload: _Object) -> Iterator[Node]:
        for name, value in payload.fields:
            below = _below("", name)
            if name == "events" and isinstance(value, list):
                yield self._container(name, below, "array", len(value), self._events(value, below))
            else:
                yield self._field("", "properties", name, value, below)

    def _events(self, events: list[Any], pointer: str) -> Iterator[Node]:
        for index, event in enumerate(events):
            yield self._event(event, None, f"{pointer}/{index}")

    def _event(self, event: Any, name: str | None, pointer: str) -> Node:  # noqa: ANN401 -- as above
        if not isinstance(event, _Object):
            return self._value(None, self._masked("", "properties", "", event), pointer)
        found = next((value for name, value in event.fields if name == "event_type"), None)
        event_type = found if isinstance(found, str) and not isinstance(found, _Number) else ""
        node = self._container(
            name, pointer, "object", len(event.fields), self._event_fields(event, event_type, pointer)
        )
        return replace(node, label=_plain(event_type)[:MAX_STRING])

    def _event_fields(self, event: _Object, event_type: str, pointer: str) -> Iterator[Node]:
        for name, value in event.fields:
            below = _below(pointer, name)
            if name in PLACES and isinstance(value, _Object):
                inner = (
                    self._field(event_type, name, each, inside, _below(below, each)) for each, inside in value.fields
                )
                yield self._container(name, below, "object", len(value.fields), inner)
            else:
                yield self._field(event_type, "", name, value, below)

    def _field(self, event_type: str, place: str, name: str, value: Any, pointer: str) -> Node:  # noqa: ANN401 -- as above
        return self._value(name, self._masked(event_type, place, name, value), pointer)

    def _masked(self, event_type: str, place: str, name: str, value: Any) -> Any:  # noqa: ANN401 -- as above
        if self._masking is None:
            return value
        sent = _encode(value).encode()
        masked = self._masking.field(event_type, place, name, sent)
        return value if masked == sent else HIDDEN if masked is None else _decode(masked)

    def _value(self, name: str | None, value: Any, pointer: str) -> Node:  # noqa: ANN401 -- as above
        if isinstance(value, _Object):
            fields = (self._value(each, inside, _below(pointer, each)) for each, inside in value.fields)
            return self._container(name, pointer, "object", len(value.fields), fields)
        if isinstance(value, list):
            elements = (self._value(None, each, f"{pointer}/{index}") for index, each in enumerate(value))
            return self._container(name, pointer, "array", len(value), elements)
        kind = _KINDS[type(value)]
        text = _plain(value if kind == "string" else _encode(value))
        hidden = self._masking is not None and value == HIDDEN
        cut = max(0, len(text) - MAX_STRING)
        return self._with_problems(
            Node(name=_name(name), kind=kind, text=text[:MAX_STRING], cut=cut, hidden=hidden, pointer=_plain(pointer))
        )

    def _container(self, name: str | None, pointer: str, kind: str, size: int, children: Iterator[Node]) -> Node:
        shown: list[Node] = []
        # Steps: an event is four levels below the root of a payload.
        if pointer.count("/") < MAX_LEVELS:
            while self._left > 0 and (child := next(children, None)) is not None:
                shown.append(child)
                self._left -= 1
        node = Node(name=_name(name), kind=kind, size=size, children=shown, pointer=_plain(pointer))
        return self._with_problems(node)

    def _with_problems(self, node: Node) -> Node:
        here = self._at.get(node.pointer, [])
        severities = [self._problems[index].severity for index in here]
        return replace(
            node,
            problems=[index for index in here if index < MAX_PROBLEMS],
            errors=severities.count(Severity.ERROR) + sum(child.errors for child in node.children),
            warnings=severities.count(Severity.WARNING) + sum(child.warnings for child in node.children),
        )


_KINDS: Final = {str: "string", _Number: "number", bool: "boolean", type(None): "null"}


def _below(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _name(name: str | None) -> str | None:
    return None if name is None else _plain(name)[:MAX_STRING]


def _plain(text: str) -> str:
    """A lone surrogate cannot be encoded."""
    return text.encode("utf-8", "backslashreplace").decode()
