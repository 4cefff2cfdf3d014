"""Where a field of an event may stand."""

from typing import Final, TypeAlias

from td_currents_cli.braze import ENVELOPE, PLACES
from td_currents_cli.errors import UsageError

FieldPath: TypeAlias = tuple[str, ...]
"""Names from the event inwards: `("properties", "custom_properties", "plan")`."""


def field_paths(name: str) -> tuple[FieldPath, ...]:
    """Where a field is looked for, the likeliest place first.

    A bare name is a member of `user`, of `properties`, or of the event itself, as in flat events; flat rows of the
    Braze Currents Streaming connector have it behind `user_` or `properties_`. A dotted one is as it says, or the
    whole of it is the name in a flat event, as `tdcur parse` writes it where a bare name would be ambiguous.

    Raises:
        UsageError: it cannot be the name of a field.
    """
    first, *rest = name.split(".")
    if name in PLACES:
        raise UsageError(f"`{name}` is an object", hint=f"Count by one of its fields, such as {name}.{_EXAMPLE[name]}.")
    if not all((first, *rest)) or any(not character.isprintable() or character in '"\\' for character in name):
        raise UsageError(f"`{name}` is not the name of a field")
    if name in ENVELOPE:
        return ((name,),)
    if not rest:
        return (*((place, name) for place in PLACES), (name,), *((f"{place}_{name}",) for place in PLACES))
    if first not in PLACES:
        raise UsageError(
            f"`{name}`: a dotted name begins with user or properties", hint=f"Did you mean properties.{name}?"
        )
    return ((first, *rest), (name,), ("_".join((first, *rest)),))


_EXAMPLE: Final = {"user": "external_user_id", "properties": "campaign_name"}
