"""The catalog of Braze Currents: event types, their fields, and suggestions for misspelled names."""

from td_currents_cli.catalog.loader import Catalog, load
from td_currents_cli.catalog.model import EventType, Field, FieldType, Where

__all__ = ["Catalog", "EventType", "Field", "FieldType", "Where", "load"]
