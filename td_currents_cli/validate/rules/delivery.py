"""TDC4xx: what the endpoint said. `tdcur send` reports these; `tdcur validate` sends nothing and never does."""

from typing import Final

from td_currents_cli.model import Code, Severity
from td_currents_cli.validate.rules.rule import Rule, RuleScope

DELIVERY_RULES: Final = (
    Rule(
        code=Code.BATCH_REFUSED,
        name="batch rejected by the endpoint",
        severity=Severity.ERROR,
        scope=RuleScope.DELIVERY,
        why="The endpoint answered 400 or 413: sending the same batch again would get the same answer.",
        fix="Run `tdcur validate` to see what is wrong with it.",
    ),
)
