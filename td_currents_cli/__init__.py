"""tdcur: Braze Currents events on their way into Treasure Data, validated, sent, parsed and counted."""

__version__ = "0.1.0"
