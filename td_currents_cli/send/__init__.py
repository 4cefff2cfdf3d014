"""Payloads into a Postback URL, the way Braze's own connector would deliver them.

read.records → plan → feed → delivery → client
              (what)  (when)  (again?)   (the socket)
                ↑                 ↓
              sieve ←  journal, dead letters

What is left of `feed` happens `within` this process, or in another `beside` it, whose plan comes through an `inlet`.
"""

import sys

from td_currents_cli.send.endpoint import Destination
from td_currents_cli.send.outcome import SendOutcome
from td_currents_cli.send.payload import Limits
from td_currents_cli.send.probe import EndpointCheck, check
from td_currents_cli.send.run import Request, run
from td_currents_cli.send.state import State
from td_currents_cli.send.tls import TlsFiles

__all__ = ["Destination", "EndpointCheck", "Limits", "Request", "SendOutcome", "State", "TlsFiles", "check", "run"]

# httpx is a command line program too, with click, pygments and more. Without that part of it, which nobody needs here,
# it is imported in half the time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
