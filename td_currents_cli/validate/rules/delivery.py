"""TDC4xx: what the endpoint said. `tdcur send` reports these; `tdcur validate` sends nothing and never does."""

from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Severity
from td_currents_cli.validate.rules.rule import Rule

RULES: Final = (
    Rule(
        code=Code.BATCH_REFUSED,
        name="batch refused by the endpoint",
        severity=Severity.ERROR,
        why="The endpoint answered 400 or 413: to send the same batch again would give the same answer.",
        mend="`tdcur validate` tells what is wrong with it.",
    ),
)
