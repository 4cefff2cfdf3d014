"""Paths at which a field of an event may be."""

from typing import Final, TypeAlias

from td_currents_cli.braze import ENVELOPE, PLACES
from td_currents_cli.errors import UsageError

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
        raise UsageError(
            f"cannot count by `{name}`: it is an object",
            hint=f"Give one of its fields, such as {name}.{_EXAMPLE[name]}.",
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


_EXAMPLE: Final = {"user": "external_user_id", "properties": "campaign_name"}
