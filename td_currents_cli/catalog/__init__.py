"""What Braze says an event is: every event type, its fields, and the name that was probably meant."""

from td_currents_cli.catalog.event_types import EventType, Field, FieldType, Where
from td_currents_cli.catalog.events_file import Catalog, load

__all__ = ["Catalog", "EventType", "Field", "FieldType", "Where", "load"]
