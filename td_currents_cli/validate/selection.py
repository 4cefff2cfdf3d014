"""Which findings a run is about: codes and families of codes, chosen by prefix as ruff has it."""

from collections.abc import Sequence
from dataclasses import dataclass

from td_currents_cli.codes import Code
from td_currents_cli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Selection:
    """The codes whose findings count.

    Attributes:
        codes: none but these are reported. An input that cannot be read always is.
    """

    codes: frozenset[Code]

    @classmethod
    def of(cls, select: Sequence[str], ignore: Sequence[str]) -> "Selection":
        """Codes that begin with a prefix of `select` (all, if there is none); the longest prefix of both lists decides.

        Each element may hold several prefixes with commas between them.

        Raises:
            UsageError: a prefix that no code begins with.
        """
        selected, ignored = _prefixes(select, "--select"), _prefixes(ignore, "--ignore")
        return cls(frozenset(code for code in Code if _reach(code, selected or [""]) > _reach(code, ignored)))

    def __contains__(self, code: object) -> bool:
        return code in self.codes or code is Code.UNREADABLE


def _reach(code: Code, prefixes: Sequence[str]) -> int:
    """Length of the longest of these prefixes that the code begins with; -1 for none."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _prefixes(lists: Sequence[str], option: str) -> list[str]:
    prefixes = [prefix.strip().upper() for text in lists for prefix in text.split(",") if prefix.strip()]
    for prefix in prefixes:
        if not any(code.startswith(prefix) for code in Code):
            raise UsageError(
                f"{option}: no rule begins with `{prefix}`", hint="`tdcur rules` lists all; TDC2 stands for a family."
            )
    return prefixes
