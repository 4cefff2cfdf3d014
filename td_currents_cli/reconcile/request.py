"""The options of `tdcur reconcile`."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from pathlib import Path

from td_currents_cli.errors import UsageError
from td_currents_cli.reconcile.scope import EVERY_EVENT, TimeScope
from td_currents_cli.reconcile.shelf import MEMORY_LIMIT
from td_currents_cli.reconcile.side import Side


class DiffKind(StrEnum):
    """How the two sides can differ for an id."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    DUPLICATED = "duplicated"


FAILURES = frozenset({DiffKind.MISSING, DiffKind.CHANGED})
"""Differences that always make a run exit with 1."""


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    sent: Side
    ingested: Side
    _: KW_ONLY
    scope: TimeScope = EVERY_EVENT
    resend: Path | None = None  # file for payloads with the missing events
    ids: Path | None = None  # file for the missing ids
    show: int = 0  # number of example ids per kind of difference
    fail_on: frozenset[DiffKind] = FAILURES
    limit: int = MEMORY_LIMIT


def failing(names: Sequence[str]) -> frozenset[DiffKind]:
    """The differences that make a run fail, including those that `--fail-on` adds, separated by commas.

    Raises:
        UsageError: there is no such difference.
    """
    kinds = set(FAILURES)
    for name in (part.strip() for text in names for part in text.split(",")):
        if name not in list(DiffKind):
            raise UsageError(
                f"--fail-on: `{name}` is not a kind of difference", hint="Give unexpected, duplicated, or both."
            )
        kinds.add(DiffKind(name))
    return frozenset(kinds)
