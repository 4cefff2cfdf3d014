"""A local Postback endpoint that behaves like Treasure Data's, and stores the rows in a file."""

from td_currents_cli.serve.server import Receiver
from td_currents_cli.serve.settings import FaultSettings, PostbackApi, ServeSettings
from td_currents_cli.serve.stats import RequestLog, RequestResult

__all__ = ["FaultSettings", "PostbackApi", "Receiver", "RequestLog", "RequestResult", "ServeSettings"]
