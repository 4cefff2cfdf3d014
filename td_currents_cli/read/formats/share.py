"""Tables of Braze's share in Snowflake: events of one type each, with the names of the storage export in upper case.

Where HTTP has the id of the API (`campaign_id`), the share has two: `CAMPAIGN_API_ID`, and in `CAMPAIGN_ID` one that
only Braze uses. That one is left out, and so is the time at which Snowflake got the row.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from msgspec import Struct

from td_currents_cli.braze import CUSTOM_FIELD
from td_currents_cli.model import Code, Location, Problem
from td_currents_cli.read.export_layout import event_type_of

_ALWAYS: Final = frozenset({"ID", "TIME", "USER_ID"})
_API_ID: Final = "_API_ID"
_OF_SNOWFLAKE: Final = "SF_CREATED_AT"
_NULL: Final = "\\N"

_Cell = TypeVar("_Cell")


def is_share(names: Sequence[str]) -> bool:
    """Whether these are the names of the columns of such a table."""
    return set(names) >= _ALWAYS and all(name == name.upper() for name in names)


class ShareColumns(Struct, frozen=True):
    """What the columns of a table are as fields of events."""

    names: tuple[str, ...]
    indexes: tuple[int, ...]  # of the columns
    event_type: str | None  # of all rows; None where a column tells

    def cells(self, row: Sequence[_Cell]) -> list[_Cell | str | None]:
        r"""Return the cells for the names: `\N`, which Snowflake writes for null, as None."""
        cells: list[_Cell | str | None] = [row[index] for index in self.indexes]
        found = [None if cell == _NULL else cell for cell in cells]
        return found if self.event_type is None else [self.event_type, *found]


def share_columns(names: Sequence[str], source: str, event_type: str | None) -> ShareColumns | Problem:
    """Return the columns of such a table, or a problem where the type of its events is not known."""
    event_type = None if "EVENT_TYPE" in names else event_type_of(source) or event_type
    if event_type is None and "EVENT_TYPE" not in names:
        return Problem(
            code=Code.UNKNOWN_FORM,
            location=Location(source=source),
            message="the type of the events in the table of Braze's Snowflake share is not known: no column names it",
            hint="Name the type: --event-type TYPE.",
        )
    kept: dict[int, str] = {}
    for index, name in enumerate(names):
        if (name.endswith("_ID") and f"{name.removesuffix('_ID')}{_API_ID}" in names) or name == _OF_SNOWFLAKE:
            continue
        own = name.removesuffix(_API_ID) + "_ID" if name.endswith(_API_ID) else name
        kept[index] = own.lower()
        if name == "PROPERTIES":
            kept[index] = CUSTOM_FIELD.get(event_type or "", "properties")
    first = () if event_type is None else ("event_type",)
    return ShareColumns((*first, *kept.values()), tuple(kept), event_type)
