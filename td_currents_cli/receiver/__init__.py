"""A local Postback endpoint that behaves like Treasure Data's: what is sent to it can be read back from a file."""

from td_currents_cli.receiver.serve import ServeOutcome, ServeRequest, run
from td_currents_cli.receiver.server import Receiver
from td_currents_cli.receiver.settings import Api, Misbehaviour, Settings
from td_currents_cli.receiver.tally import Exchange, Result, Stats

__all__ = [
    "Api",
    "Exchange",
    "Misbehaviour",
    "Receiver",
    "Result",
    "ServeOutcome",
    "ServeRequest",
    "Settings",
    "Stats",
    "run",
]
