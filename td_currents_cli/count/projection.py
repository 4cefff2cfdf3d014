"""Events decoded to just the fields that are asked for, wherever in them they stand."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from td_currents_cli.braze import ENVELOPE
from td_currents_cli.count.field_path import FieldPath
from td_currents_cli.errors import UsageError
from td_currents_cli.events.decode import Decoder
from td_currents_cli.events.lenient import loads
from td_currents_cli.write.json_text import json_line

Tree: TypeAlias = dict[str, "Tree | None"]
"""Names of members; those of an object have the names of its members."""

Column: TypeAlias = Callable[[list[Any]], list[Any]]
"""A value for each event; None for one that has none."""

_TEXTS: Final = ({str}, {str, type(None)}, {type(None)})


class Projection(Decoder[Any]):
    """Decodes batches into Structs with some fields of each event, and has a column of values for each.

    Its Structs have `event_type`, `id` and `time` under their own names, where they are asked for. An object where a
    value is expected comes as it is, a value where an object is expected as None: no event is refused for its fields.
    """

    def __init__(self, paths: Iterable[FieldPath]) -> None:
        self._tree = _tree(paths)
        super().__init__(_struct(self._tree))

    def column(self, paths: Iterable[FieldPath]) -> Column:
        """The values found at the first of these paths that has one."""
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


def texts(values: list[Any]) -> list[str | None]:
    """Values as text: texts as they are, all else as JSON. An empty text is none: CSV cannot tell them apart."""
    if set(map(type, values)) in _TEXTS and "" not in values:
        return values
    return [(value or None) if value is None or isinstance(value, str) else _json(value) for value in values]


def _json(value: object) -> str:
    return json_line(value).decode().rstrip("\n")


def _tree(paths: Iterable[FieldPath]) -> Tree:
    tree: Tree = {}
    for path in paths:
        branch = tree
        for name in path[:-1]:
            inner = branch.setdefault(name, {})
            if inner is None:
                raise _both(path)
            branch = inner
        if branch.setdefault(path[-1]) is not None:
            raise _both(path)
    return tree


def _both(path: FieldPath) -> UsageError:
    return UsageError(f"`{'.'.join(path)}` is a part of another field that is asked for", hint="Ask for one of them.")


def _struct(tree: Tree) -> type[Struct]:
    names = {_attribute(tree, name): name for name in tree}
    fields = [(attribute, _type(tree[name]), None) for attribute, name in names.items()]
    return msgspec.defstruct("Members", fields, rename=names, gc=False)


def _type(tree: Tree | None) -> Any:  # noqa: ANN401 -- a type made at run time
    return Any if tree is None else _struct(tree) | None


def _attribute(tree: Tree, name: str) -> str:
    return name if name in ENVELOPE else f"m{list(tree).index(name)}"


def _attributes(tree: Tree, path: FieldPath) -> str:
    names = []
    for name in path:
        names.append(_attribute(tree, name))
        tree = tree[name] or {}
    return ".".join(names)


def _values(attributes: str) -> Column:
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
            # An object on the way is missing in one of them.
            return [get_each(event) for event in events]

    return values


def _pruned(members: Any, tree: Tree) -> dict[str, Any]:  # noqa: ANN401 -- any JSON object
    """An object without what is no object where one is expected."""
    kept = {}
    for name, branch in tree.items():
        value = members.get(name)
        if branch is None:
            kept[name] = value
        elif isinstance(value, dict):
            kept[name] = _pruned(value, branch)
    return kept
