"""Which problems a run reports: selected by prefixes of their codes, as in ruff."""

from collections.abc import Sequence
from dataclasses import dataclass

from td_currents_cli.errors import UsageError
from td_currents_cli.model import Code


@dataclass(frozen=True, slots=True)
class Selection:
    """The codes that are reported. An input that cannot be read is always reported."""

    codes: frozenset[Code]

    @classmethod
    def of(cls, select: Sequence[str], ignore: Sequence[str]) -> "Selection":
        """Select codes by prefix (all, if `select` is empty); the longest matching prefix of both lists decides.

        Each element may contain several prefixes, separated by commas.

        Raises:
            UsageError: no code starts with a prefix.
        """
        selected, ignored = _prefixes(select, "--select"), _prefixes(ignore, "--ignore")
        return cls(
            frozenset(code for code in Code if _match_length(code, selected or [""]) > _match_length(code, ignored))
        )

    def __contains__(self, code: object) -> bool:
        return code in self.codes or code is Code.UNREADABLE


def _match_length(code: Code, prefixes: Sequence[str]) -> int:
    """Length of the longest of the prefixes that the code starts with; -1 for none."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _prefixes(lists: Sequence[str], option: str) -> list[str]:
    prefixes = [prefix.strip().upper() for each in lists for prefix in each.split(",") if prefix.strip()]
    for prefix in prefixes:
        if not any(code.startswith(prefix) for code in Code):
            raise UsageError(
                f"{option}: no rule starts with `{prefix}`", hint="Run `tdcur rules` for a list; TDC2 selects a family."
            )
    return prefixes
