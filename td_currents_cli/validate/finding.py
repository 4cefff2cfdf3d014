"""What a check remarks about one event, before its place in the source is looked up."""

from msgspec import Struct

from td_currents_cli.codes import Code
from td_currents_cli.model import Severity


class Finding(Struct, frozen=True, gc=False):
    """One remark.

    Attributes:
        path: members from the event down to the place, as `("properties", "campaign_name")`. A missing member is
            remarked at the object that misses it.
        message: names of fields and types, never their values.
        at_name: the remark is about the member's name, not about its value.
    """

    code: Code
    severity: Severity
    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_name: bool = False


def pointer(path: tuple[str | int, ...]) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
