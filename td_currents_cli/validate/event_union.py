"""The catalogue as one union of types, told apart by `event_type`: what decodes as that keeps to what made it."""

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from td_currents_cli.braze import CUSTOM_EVENT, PURCHASE
from td_currents_cli.catalog import Catalog, EventType, Field, FieldType, Where
from td_currents_cli.validate.fields import fields_accepted

INT64: Final = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
NOT_EMPTY: Final = Annotated[str, Meta(min_length=1)]

PLAIN_TYPES: Final[Mapping[FieldType, Any]] = {
    FieldType.STRING: str,
    FieldType.INT: INT64,
    FieldType.LONG: INT64,
    # An integer near or beyond 64 bits is taken for a float: left to diagnosis, as are floats as large.
    FieldType.FLOAT: Annotated[float, Meta(gt=-(2.0**62), lt=2.0**62)],
    FieldType.BOOLEAN: bool,
    FieldType.STRINGS: list[str],
}
"""Of the fields that are no objects."""

NOT_SUCH: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
"""What decoding raises for any other text."""

Member: TypeAlias = Callable[[Field], tuple[Any] | tuple[Any, Any]]
"""The type of a field, and what it is where it is missing, if it may be."""


def union_of(catalog: Catalog, *, time: object, member: Member, accepts: Callable[[Field], bool], closed: bool) -> Any:  # noqa: ANN401 -- a type made at run time
    """The type of an event. Custom events and purchases are left out where the catalogue describes their data.

    Args:
        catalog: the event types.
        time: type of `time`.
        member: makes a member of `user` or `properties`.
        accepts: whether a field is a member at all.
        closed: whether there may be no other members.
    """
    objects: dict[tuple[Field, ...], Any] = {}

    def place(event_type: EventType, where: Where) -> Any:  # noqa: ANN401 -- as above
        fields = tuple(filter(accepts, fields_accepted(event_type, where).values()))
        if fields not in objects:
            objects[fields] = _object(fields, member, closed=closed)
        return objects[fields]

    structs = [
        msgspec.defstruct(
            "Event",
            [
                ("id", NOT_EMPTY),
                ("time", time),
                ("user", place(each, Where.USER)),
                ("properties", place(each, Where.PROPERTIES)),
            ],
            tag_field="event_type",
            tag=each.name,
            forbid_unknown_fields=closed,
            gc=False,
        )
        for each in _types(catalog)
    ]
    return reduce(operator.or_, structs[1:], structs[0])


def payload_of(event: Any, *, closed: bool) -> Any:  # noqa: ANN401 -- as above
    """The type of a payload of such events."""
    return msgspec.defstruct("Payload", [("events", list[event])], forbid_unknown_fields=closed, gc=False)


def _types(catalog: Catalog) -> Iterable[EventType]:
    described = {CUSTOM_EVENT if catalog.custom_events else "", PURCHASE if catalog.purchase_properties else ""}
    return [each for each in catalog.events.values() if each.http and each.name not in described]


def _object(fields: tuple[Field, ...], member: Member, *, closed: bool) -> Any:  # noqa: ANN401 -- as above
    """The type of an object with these members; event types share it where they share their fields."""
    names = {f"field{number}": field.name for number, field in enumerate(fields)}
    return msgspec.defstruct(
        "Members",
        [(attribute, *member(field)) for attribute, field in zip(names, fields, strict=True)],
        # What people call a field of their own need not be an identifier.
        rename=names,
        forbid_unknown_fields=closed,
        omit_defaults=True,
        kw_only=True,
        gc=False,
    )
