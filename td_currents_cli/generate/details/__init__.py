"""Groups of fields that describe what happened in an event."""

from typing import Final

from td_currents_cli.generate.details.agents import AGENTS
from td_currents_cli.generate.details.behaviors import BEHAVIORS
from td_currents_cli.generate.details.delivery import DELIVERY
from td_currents_cli.generate.details.responses import RESPONSES
from td_currents_cli.generate.fragments import FieldGroup

FIELD_GROUPS: Final[tuple[FieldGroup, ...]] = (*AGENTS, *BEHAVIORS, *DELIVERY, *RESPONSES)
"""In order of precedence: a field in several groups is taken from the first one that fits the event type."""
