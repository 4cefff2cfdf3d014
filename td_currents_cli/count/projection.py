"""Decodes only the requested fields of events."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from td_currents_cli.braze import ENVELOPE, PLACES
from td_currents_cli.errors import UsageError
from td_currents_cli.events.decode import Decoder
from td_currents_cli.events.json import loads
from td_currents_cli.write.formats import json_line

FieldPath: TypeAlias = tuple[str, ...]
"""Names from the event inwards: `("properties", "custom_properties", "plan")`."""


def field_paths(name: str) -> tuple[FieldPath, ...]:
    """The paths at which a field may be, the most likely first.

    A name without a dot is a field of `user`, of `properties`, or of a flat event; flat rows of the Braze Currents
    Streaming connector have the prefix `user_` or `properties_`. A dotted name is a path, or as a whole the name of a
    field of a flat event, which `tdcur parse` writes if the name without prefix is ambiguous.

    Raises:
        UsageError: it cannot be the name of a field.
    """
    first, *rest = name.split(".")
    if name in PLACES:
        field = "external_user_id" if name == "user" else "campaign_name"
        raise UsageError(
            f"cannot count by `{name}`: it is an object", hint=f"Give one of its fields, such as {name}.{field}."
        )
    if not all((first, *rest)) or any(not character.isprintable() or character in '"\\' for character in name):
        raise UsageError(f"`{name}` is not a valid field name")
    if name in ENVELOPE:
        return ((name,),)
    if not rest:
        return (*((place, name) for place in PLACES), (name,), *((f"{place}_{name}",) for place in PLACES))
    if first not in PLACES:
        raise UsageError(
            f"`{name}`: a dotted name must begin with user or properties", hint=f"Did you mean properties.{name}?"
        )
    return ((first, *rest), (name,), ("_".join((first, *rest)),))


FieldTree: TypeAlias = dict[str, "FieldTree | None"]
"""Names of fields; those of an object have the names of its fields."""

ColumnReader: TypeAlias = Callable[[list[Any]], list[Any]]
"""Returns a value for each event; None for one that has none."""


class Projection(Decoder[Any]):
    """Decodes batches into Structs with some fields of each event.

    Its Structs have `event_type`, `id` and `time` under their own names, if requested. No event is rejected for the
    types of its fields: any value is accepted, and a path through a value that is not an object has no value.
    """

    def __init__(self, paths: Iterable[FieldPath]) -> None:
        self._tree = _tree(paths)
        super().__init__(_struct(self._tree))

    def column(self, paths: Iterable[FieldPath]) -> ColumnReader:
        """A function that returns the value at the first of these paths that has one, for each event."""
        columns = [_values(_attributes(self._tree, path)) for path in paths]
        if len(columns) == 1:
            return columns[0]

        def first_of(events: list[Any]) -> list[Any]:
            values = columns[0](events)
            for column in columns[1:]:
                if None not in values:
                    break
                values = [
                    other if value is None else value for value, other in zip(values, column(events), strict=True)
                ]
            return values

        return first_of

    def _decode_event(self, text: bytes) -> Any:  # noqa: ANN401 -- a Struct made for the fields asked for
        try:
            return super()._decode_event(text)
        except msgspec.ValidationError:
            return msgspec.convert(_pruned(loads(text), self._tree), self._type)


def as_strings(values: list[Any]) -> list[str | None]:
    """Values other than strings as JSON. An empty string becomes None: CSV cannot tell them apart."""
    if set(map(type, values)) <= {str, type(None)} and "" not in values:
        return values
    return [
        (value or None) if value is None or isinstance(value, str) else json_line(value).decode().rstrip("\n")
        for value in values
    ]


def _tree(paths: Iterable[FieldPath]) -> FieldTree:
    tree: FieldTree = {}
    for path in paths:
        branch = tree
        for name in path[:-1]:
            inner = branch.setdefault(name, {})
            if inner is None:
                raise _overlap(path)
            branch = inner
        if branch.setdefault(path[-1]) is not None:
            raise _overlap(path)
    return tree


def _overlap(path: FieldPath) -> UsageError:
    return UsageError(f"`{'.'.join(path)}` overlaps with another requested field", hint="Request only one of them.")


def _struct(tree: FieldTree) -> type[Struct]:
    names = {_attribute(tree, name): name for name in tree}
    types = {name: Any if branch is None else _struct(branch) | None for name, branch in tree.items()}
    fields = [(attribute, types[name], None) for attribute, name in names.items()]
    return msgspec.defstruct("Projected", fields, rename=names, gc=False)


def _attribute(tree: FieldTree, name: str) -> str:
    return name if name in ENVELOPE else f"m{list(tree).index(name)}"


def _attributes(tree: FieldTree, path: FieldPath) -> str:
    names = []
    for name in path:
        names.append(_attribute(tree, name))
        tree = tree[name] or {}
    return ".".join(names)


def _values(attributes: str) -> ColumnReader:
    get = attrgetter(attributes)

    def get_each(event: Any) -> Any:  # noqa: ANN401 -- as above
        try:
            return get(event)
        except AttributeError:
            return None

    def values(events: list[Any]) -> list[Any]:
        try:
            return list(map(get, events))
        except AttributeError:
            # One of the events has no object on the path.
            return [get_each(event) for event in events]

    return values


def _pruned(fields: Any, tree: FieldTree) -> dict[str, Any]:  # noqa: ANN401 -- any JSON object
    """An object without the values that are not objects where the tree has objects."""
    kept = {}
    for name, branch in tree.items():
        value = fields.get(name)
        if branch is None:
            kept[name] = value
        elif isinstance(value, dict):
            kept[name] = _pruned(value, branch)
    return kept
