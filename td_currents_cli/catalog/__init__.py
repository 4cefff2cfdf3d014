"""The catalog of Braze Currents: event types, their fields, and suggestions for misspelled names."""

from td_currents_cli.catalog.event_types import EventType, Field, FieldType, Where
from td_currents_cli.catalog.events_file import Catalog, load

__all__ = ["Catalog", "EventType", "Field", "FieldType", "Where", "load"]
