"""The rules of `tdcur validate`: what each code means, why it matters, and what to do about it.

The facts behind them are Braze's (documentation of Currents, its Avro schemas) and Treasure Data's (Postback API).
"""

from collections.abc import Mapping
from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.validate.rules import catalogue, delivery, destination, document, event
from td_currents_cli.validate.rules.rule import Rule

__all__ = ["RULES", "Rule"]

RULES: Final[Mapping[Code, Rule]] = {
    rule.code: rule for family in (document, event, catalogue, destination, delivery) for rule in family.RULES
}
"""All rules by their code, in its order."""
