"""Regular expressions that are compiled when they are first used."""

import re
from typing import Any, AnyStr, cast


class _Pattern:
    def __init__(self, expression: str | bytes, flags: int) -> None:
        self.pattern = expression  # as a compiled one has it
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever a compiled one has
        # `re` keeps a number of compiled ones, and this object the methods that were asked for.
        found = getattr(re.compile(self.pattern, self._flags), name)
        setattr(self, name, found)
        return found


def pattern(expression: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what has the methods of a compiled regular expression.

    Most of them are for inputs that are rare: to compile them all takes 6 % of the time of a small run.
    """
    return cast("re.Pattern[AnyStr]", _Pattern(expression, flags))
