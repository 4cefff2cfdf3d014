"""The rules of `tdcur validate`: what each code means, why it matters, and what to do about it.

The facts behind them are Braze's (documentation of Currents, its Avro schemas) and Treasure Data's (Postback API).
"""

from collections.abc import Mapping
from typing import Final

from td_currents_cli.model import Code
from td_currents_cli.validate.rules.catalogue import CATALOG_RULES
from td_currents_cli.validate.rules.delivery import DELIVERY_RULES
from td_currents_cli.validate.rules.destination import DESTINATION_RULES
from td_currents_cli.validate.rules.document import DOCUMENT_RULES
from td_currents_cli.validate.rules.event import EVENT_RULES
from td_currents_cli.validate.rules.rule import Rule, RuleScope

__all__ = ["RULES", "Rule", "RuleScope"]

RULES: Final[Mapping[Code, Rule]] = {
    rule.code: rule for rule in (*DOCUMENT_RULES, *EVENT_RULES, *CATALOG_RULES, *DESTINATION_RULES, *DELIVERY_RULES)
}
"""All rules by their code, in its order."""
