"""An engine that has its answer ready, whatever it is asked."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Canned(NamedTuple):
    """The same result for each query; it is the result too."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]

    def query(self, sql: str) -> "Canned":
        return self
