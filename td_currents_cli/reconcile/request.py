"""What `tdcur reconcile` is asked for."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from pathlib import Path

from td_currents_cli.errors import UsageError
from td_currents_cli.reconcile.scope import ALL, Scope
from td_currents_cli.reconcile.shelf import LIMIT
from td_currents_cli.reconcile.side import Side


class Kind(StrEnum):
    """How the two sides can differ about an id."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    DUPLICATED = "duplicated"


FAILURES = frozenset({Kind.MISSING, Kind.CHANGED})
"""Differences that always make a run exit with 1."""


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """What to compare.

    Attributes:
        sent: the events that were sent.
        ingested: the events that arrived.
        scope: which of them are compared.
        resend: the file of payloads with the missing events; None for none.
        ids: the file of the missing ids; None for none.
        show: ids that are shown as examples of each kind of difference.
        fail_on: differences that make the run exit with 1, see FAILURES.
        limit: bytes of fingerprints in memory.
    """

    sent: Side
    ingested: Side
    _: KW_ONLY
    scope: Scope = ALL
    resend: Path | None = None
    ids: Path | None = None
    show: int = 0
    fail_on: frozenset[Kind] = FAILURES
    limit: int = LIMIT


def failing(names: Sequence[str]) -> frozenset[Kind]:
    """The differences that make a run fail, given those that `--fail-on` adds, with commas between them.

    Raises:
        UsageError: there is no such difference.
    """
    kinds = set(FAILURES)
    for name in (part.strip() for text in names for part in text.split(",")):
        if name not in list(Kind):
            raise UsageError(f"--fail-on knows no difference `{name}`", hint="Give unexpected, duplicated, or both.")
        kinds.add(Kind(name))
    return frozenset(kinds)
