"""A local Postback endpoint that behaves like Treasure Data's, and stores the rows in a file."""

from td_currents_cli.serve.server import Receiver, ServeOutcome, ServeRequest, run
from td_currents_cli.serve.settings import FaultSettings, PostbackApi, ServeSettings
from td_currents_cli.serve.stats import RequestLog, RequestResult, ServeStats

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
