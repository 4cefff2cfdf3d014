"""Sends payloads to a Postback URL, as Braze's own connector would.

read.records → batching → queue → sender → http
               (what)     (when)  (again?) (the socket)
                  ↑                  ↓
              prefilter  ←  journal, dead letters
"""

from td_currents_cli.send.command import SendRequest, run
from td_currents_cli.send.connection_test import ConnectionTestOutcome, run_connection_test
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.payload import PayloadLimits
from td_currents_cli.send.result import SendOutcome
from td_currents_cli.send.state import StateOptions
from td_currents_cli.send.tls import TlsFiles

__all__ = [
    "ConnectionTestOutcome",
    "Destination",
    "PayloadLimits",
    "SendOutcome",
    "SendRequest",
    "StateOptions",
    "TlsFiles",
    "run",
    "run_connection_test",
]
