"""What a rule is."""

from dataclasses import dataclass

from td_currents_cli.codes import Code
from td_currents_cli.model import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of `tdcur validate`.

    Attributes:
        name: what the rule is about, in a few words.
        severity: what its findings weigh.
        why: what goes wrong when it is broken.
        mend: what to do.
        bad: a payload, or the part of one, that breaks it. Empty where no text can show it.
        good: the same as it should be.
    """

    code: Code
    name: str
    severity: Severity
    why: str
    mend: str
    bad: str = ""
    good: str = ""
