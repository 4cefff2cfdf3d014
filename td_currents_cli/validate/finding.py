"""What a rule remarks, before its place in the source is looked up."""

from msgspec import Struct

from td_currents_cli.codes import Code


class Violation(Struct, frozen=True, gc=False):
    """One remark on an event, or on the document around its events.

    Attributes:
        path: members down to the place, as `("properties", "campaign_name")`. A missing member is remarked at the
            object that misses it.
        message: names of fields and types, never their values.
        hint: the mend, where it can be said more exactly than the rule says it.
        at_name: the remark is about the member's name, not about its value.
        at: byte offset of the place, where it is known already.
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
