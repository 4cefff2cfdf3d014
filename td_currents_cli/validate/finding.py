"""A violation of a rule, before its place in the source is known."""

from msgspec import Struct

from td_currents_cli.model import Code


class Violation(Struct, frozen=True, gc=False):
    """A rule broken by an event, or by the document around its events.

    Attributes:
        path: names down to the place, as in `("properties", "campaign_name")`. A missing field is reported at the
            object that lacks it.
        message: contains names of fields and types, never their values.
        hint: how to fix it, if more specific than the rule says.
        at_name: the problem is the name of the field, not its value.
        at: byte offset of the place, if already known.
    """

    code: Code
    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_name: bool = False
    at: int | None = None


def pointer(path: tuple[str | int, ...]) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
