"""Payloads into a Postback URL, the way Braze's own connector would deliver them.

read.records → plan → feed → delivery → client
              (what)  (when)  (again?)   (the socket)
"""

from td_currents_cli.send.endpoint import Destination
from td_currents_cli.send.outcome import SendOutcome
from td_currents_cli.send.plan import Limits
from td_currents_cli.send.run import Request, run

__all__ = ["Destination", "Limits", "Request", "SendOutcome", "run"]
