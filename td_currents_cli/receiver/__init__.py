"""A local Postback endpoint that behaves like Treasure Data's, and stores the rows in a file."""

from td_currents_cli.receiver.serve import ServeOutcome, ServeRequest, run
from td_currents_cli.receiver.server import Receiver
from td_currents_cli.receiver.settings import FaultSettings, PostbackApi, ServeSettings
from td_currents_cli.receiver.tally import RequestLog, RequestResult, ServeStats

__all__ = [
    "FaultSettings",
    "PostbackApi",
    "Receiver",
    "RequestLog",
    "RequestResult",
    "ServeOutcome",
    "ServeRequest",
    "ServeSettings",
    "ServeStats",
    "run",
]
