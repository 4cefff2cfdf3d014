"""JSON written by hand, read so that every error has a JSON pointer.

msgspec would decode it in one call, but its errors leave out the names on the path: `$.event_types[...].fields[...]`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn, TypeVar

from td_currents_cli.catalog.suggest import nearest
from td_currents_cli.errors import UsageError

Choice = TypeVar("Choice", bound=StrEnum)

_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    float: "a number",
    list: "an array",
}


class _JsonObject(dict[str, object]):
    """An object, with its first repeated name."""

    repeated: str | None = None


@dataclass(frozen=True, slots=True)
class JsonNode:
    source: str  # the file, for messages
    value: object  # all numbers are floats
    pointer: str = ""  # RFC 6901

    # All methods that read a value raise UsageError if it is of another kind.

    def fields(self, *known: str) -> Mapping[str, "JsonNode"]:
        """Read an object without unknown names."""
        fields = self._fields()
        for name, node in fields.items():
            if name not in known:
                node.fail("unknown field", did_you_mean(name, known))
        return fields

    def entries(self) -> Mapping[str, "JsonNode"]:
        """Read an object whose names the user chooses."""
        entries = self._fields()
        for name, node in entries.items():
            if not (name and name.isprintable()):
                node.fail("a name must have at least one character, all printable")
        return entries

    def string(self) -> str:
        if not (isinstance(self.value, str) and self.value and self.value.isprintable()):
            self.fail_type("a nonempty string on one line")
        return self.value

    def strings(self) -> tuple[str, ...]:
        """Read an array of distinct strings."""
        if not isinstance(self.value, list):
            self.fail_type("an array of strings")
        nodes = [JsonNode(self.source, item, f"{self.pointer}/{index}") for index, item in enumerate(self.value)]
        strings = tuple(node.string() for node in nodes)
        for index, node in enumerate(nodes):
            if strings[index] in strings[:index]:
                node.fail("duplicate value")
        return strings

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            self.fail_type("true or false")
        return self.value

    def choice(self, choices: Iterable[Choice]) -> Choice:
        known = {str(choice): choice for choice in choices}
        expected = f"expected {' or '.join(known)}" if len(known) < 3 else f"expected one of {', '.join(known)}"
        if not isinstance(self.value, str):
            self.fail(f"{expected}, got {self._kind()}")
        if self.value not in known:
            near = nearest(self.value, tuple(known), separator="_")
            self.fail(f"{expected}, got another string", f"did you mean {near}?" if near else "")
        return known[self.value]

    def fail_type(self, expected: str) -> NoReturn:
        self.fail(f"expected {expected}, got {self._kind()}")

    def fail(self, why: str, hint: str = "") -> NoReturn:
        place = f"{self.source}: {self.pointer}" if self.pointer else self.source
        raise UsageError(f"{place}: {why}", hint=hint)

    def _fields(self) -> dict[str, "JsonNode"]:
        if not isinstance(self.value, _JsonObject):
            self.fail_type("an object")
        fields = {name: JsonNode(self.source, value, self._below(name)) for name, value in self.value.items()}
        if self.value.repeated is not None:
            fields[self.value.repeated].fail("duplicate field in this object")
        return fields

    def _below(self, name: str) -> str:
        return f"{self.pointer}/{_escaped(name).replace('~', '~0').replace('/', '~1')}"

    def _kind(self) -> str:
        if self.value == "":
            return "an empty string"
        return _KINDS.get(type(self.value), "an object")


def parse_json(source: str, text: bytes) -> JsonNode:
    """Parse a file and return its root.

    Raises:
        UsageError: it is not UTF-8, or not JSON.
    """
    try:
        value = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_build_object, parse_int=float)
    except UnicodeDecodeError as error:
        raise UsageError(f"{source}: not UTF-8 at byte {error.start}", hint="Save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        why = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise UsageError(f"{source}:{error.lineno}:{error.colno}: not JSON: {why}") from None
    except RecursionError:
        raise UsageError(f"{source}: nested too deeply") from None
    return JsonNode(source, value)


def did_you_mean(name: str, known: Iterable[str], *, separator: str = "_") -> str:
    """Write a hint: the most similar known name, or all known names."""
    candidates = tuple(known)
    near = nearest(name, candidates, separator=separator)
    return f"did you mean {near}?" if near else f"allowed: {', '.join(candidates)}"


def _build_object(pairs: list[tuple[str, object]]) -> _JsonObject:
    built = _JsonObject()
    for name, value in pairs:
        if name in built and built.repeated is None:
            built.repeated = name
        built[name] = value
    return built


def _escaped(name: str) -> str:
    return name if name.isprintable() else json.dumps(name)[1:-1]
