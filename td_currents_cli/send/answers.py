"""What a request can result in: a response of the endpoint, or a failure to get one.

RequestFailure
├── NotConnected                        the body was not sent; waiting may help
│   └── PermanentConnectFailure           … and when it is the first contact, waiting does not help
│       ├── UnknownHost
│       ├── UntrustedHost
│       ├── ClientCertificateRejected
│       ├── ProxyRefused
│       └── BadAddress
└── UnknownResult                       the body may have arrived, and the events may be stored
    ├── TimedOut
    └── ConnectionLost
"""

from typing import ClassVar

from msgspec import Struct


class HttpResponse(Struct, frozen=True, gc=False, kw_only=True):
    """What the endpoint responded."""

    status: int
    retry_after: str | None = None  # the header, unchanged
    redirect_host: str = ""  # of a redirect's target
    text: bytes = b""  # the body, unless it is a success; it may repeat anything that was sent
    is_cut: bool = False  # whether the body was longer: what is repeated at its end may be incomplete


class RequestFailure(Struct, frozen=True, gc=False):
    """No response. A value, as a response is: what follows from it depends on its type."""

    label: ClassVar[str] = "failed"  # in `requests_by_status`

    reason: str  # one line, without URL and without anything that was sent


class NotConnected(RequestFailure, frozen=True, gc=False):
    label = "not_connected"


class PermanentConnectFailure(NotConnected, frozen=True, gc=False):
    """No connection, for a reason that lies in the settings if it is there from the start."""


class UnknownHost(PermanentConnectFailure, frozen=True, gc=False):
    label = "unknown_host"


class UntrustedHost(PermanentConnectFailure, frozen=True, gc=False):
    """The certificate is not trusted, or the server does not speak TLS."""

    label = "tls"


class ClientCertificateRejected(PermanentConnectFailure, frozen=True, gc=False):
    """The endpoint ends the TLS handshake: it asks for a client certificate, or for another one."""

    label = "tls"


class ProxyRefused(PermanentConnectFailure, frozen=True, gc=False):
    label = "proxy"


class BadAddress(PermanentConnectFailure, frozen=True, gc=False):
    label = "bad_address"


class UnknownResult(RequestFailure, frozen=True, gc=False):
    """The request may have arrived: it is sent again, and its events may be stored twice."""


class TimedOut(UnknownResult, frozen=True, gc=False):
    label = "timeout"


class ConnectionLost(UnknownResult, frozen=True, gc=False):
    """The connection broke after the request was begun, or the response was not HTTP."""

    label = "connection_lost"
