"""JSON that a person wrote, read so that each mistake in it has a place.

msgspec would read it in one call, but its errors name no member on the way: `$.event_types[...].fields[...]`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn, TypeVar

from td_currents_cli.catalog.suggest import nearest
from td_currents_cli.errors import UsageError

Choice = TypeVar("Choice", bound=StrEnum)

_FOUND: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    str: "a text",
    float: "a number",
    list: "an array",
}


class _JsonObject(dict[str, object]):
    """The members of an object, and the first name that stood twice."""

    twice: str | None = None


@dataclass(frozen=True, slots=True)
class JsonNode:
    """A value and its place.

    Attributes:
        source: the file, as messages call it.
        value: as `json` gives it, all numbers as floats.
        pointer: RFC 6901, from the root of the file.
    """

    source: str
    value: object
    pointer: str = ""

    def members(self, *known: str) -> Mapping[str, "JsonNode"]:
        """The members of an object that has no other names than the known ones.

        Raises:
            UsageError: it is no object, or has another name.
        """
        members = self._members()
        for name, node in members.items():
            if name not in known:
                node.refuse("unknown key", did_you_mean(name, known))
        return members

    def entries(self) -> Mapping[str, "JsonNode"]:
        """The members of an object whose names are a person's own.

        Raises:
            UsageError: it is no object, or a name is empty or does not print.
        """
        entries = self._members()
        for name, node in entries.items():
            if not (name and name.isprintable()):
                node.refuse("a name here has one printable character or more")
        return entries

    def text(self) -> str:
        """A text that is not empty.

        Raises:
            UsageError: it is something else.
        """
        if not (isinstance(self.value, str) and self.value and self.value.isprintable()):
            self.unlike("a text on one line, not empty")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """An array of texts, each of them once.

        Raises:
            UsageError: it is something else.
        """
        if not isinstance(self.value, list):
            self.unlike("an array of texts")
        nodes = [JsonNode(self.source, item, f"{self.pointer}/{index}") for index, item in enumerate(self.value)]
        texts = tuple(node.text() for node in nodes)
        for index, node in enumerate(nodes):
            if texts[index] in texts[:index]:
                node.refuse("this value stands twice")
        return texts

    def flag(self) -> bool:
        """True or false.

        Raises:
            UsageError: it is something else.
        """
        if not isinstance(self.value, bool):
            self.unlike("true or false")
        return self.value

    def word(self, words: Iterable[Choice]) -> Choice:
        """One of these words.

        Raises:
            UsageError: it is another one, or something else.
        """
        known = {str(word): word for word in words}
        expected = f"expected {' or '.join(known)}" if len(known) < 3 else f"expected one of {', '.join(known)}"
        if not isinstance(self.value, str):
            self.refuse(f"{expected}, found {self._found()}")
        if self.value not in known:
            near = nearest(self.value, tuple(known), separator="_")
            self.refuse(f"{expected}, found another text", f"did you mean {near}?" if near else "")
        return known[self.value]

    def unlike(self, expected: str) -> NoReturn:
        """Say that the value is not what it should be.

        Raises:
            UsageError: always.
        """
        self.refuse(f"expected {expected}, found {self._found()}")

    def refuse(self, why: str, hint: str = "") -> NoReturn:
        """Say what is wrong here.

        Raises:
            UsageError: always.
        """
        place = f"{self.source}: {self.pointer}" if self.pointer else self.source
        raise UsageError(f"{place}: {why}", hint=hint)

    def _members(self) -> dict[str, "JsonNode"]:
        if not isinstance(self.value, _JsonObject):
            self.unlike("an object")
        members = {name: JsonNode(self.source, value, self._below(name)) for name, value in self.value.items()}
        if self.value.twice is not None:
            members[self.value.twice].refuse("this key stands twice in its object")
        return members

    def _below(self, name: str) -> str:
        return f"{self.pointer}/{_escaped(name).replace('~', '~0').replace('/', '~1')}"

    def _found(self) -> str:
        if self.value == "":
            return "an empty text"
        return _FOUND.get(type(self.value), "an object")


def parse_json(source: str, text: bytes) -> JsonNode:
    """The root of a JSON text.

    Args:
        source: the file, as messages call it.
        text: what is in it.

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
        raise UsageError(f"{source}: nested too deep") from None
    return JsonNode(source, value)


def did_you_mean(name: str, known: Iterable[str], *, separator: str = "_") -> str:
    """A hint for an unknown name: the nearest known one, or all of them."""
    candidates = tuple(known)
    near = nearest(name, candidates, separator=separator)
    return f"did you mean {near}?" if near else f"known here: {', '.join(candidates)}"


def _build_object(pairs: list[tuple[str, object]]) -> _JsonObject:
    members = _JsonObject()
    for name, value in pairs:
        if name in members and members.twice is None:
            members.twice = name
        members[name] = value
    return members


def _escaped(name: str) -> str:
    """A name as a message can hold it, whatever is in it."""
    return name if name.isprintable() else json.dumps(name)[1:-1]
