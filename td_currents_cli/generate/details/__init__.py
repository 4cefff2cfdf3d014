"""What happened in an event, beyond who and what it is about: values that go together, bundle by bundle."""

from typing import Final

from td_currents_cli.generate.details.agents import AGENTS
from td_currents_cli.generate.details.behaviors import BEHAVIORS
from td_currents_cli.generate.details.bundle import FieldGroup
from td_currents_cli.generate.details.delivery import DELIVERY
from td_currents_cli.generate.details.responses import RESPONSES

__all__ = ["BUNDLES", "FieldGroup"]

FIELD_GROUPS: Final[tuple[FieldGroup, ...]] = (*AGENTS, *BEHAVIORS, *DELIVERY, *RESPONSES)
"""In this order: a field that several bundles know is taken from the first that is for the event's type."""
