"""What a request can come back with: an answer of the endpoint, or a failure to get one.

Failure
├── NotConnected          the body was not sent; waiting may mend it
│   └── Hopeless          … and at the first contact waiting will not
│       ├── UnknownHost
│       ├── UntrustedHost the certificate, or TLS itself
│       ├── Unwelcome     the endpoint does not accept our side of TLS
│       ├── ProxyRefused
│       └── BadAddress
└── UnknownResult         the body may have arrived, and the events may be stored
    ├── TimedOut
    └── ConnectionLost
"""

from typing import ClassVar

from msgspec import Struct


class Answer(Struct, frozen=True, gc=False, kw_only=True):
    """What the endpoint said.

    Attributes:
        status: of HTTP.
        retry_after: the header as it stood, or None.
        redirect_host: where a redirect points to, without path and query, or an empty string.
        text: its body, where it is no success. It may repeat anything that was sent.
        is_cut: whether there was more of it: what is repeated at its end need not be whole.
    """

    status: int
    retry_after: str | None = None
    redirect_host: str = ""
    text: bytes = b""
    is_cut: bool = False


class Failure(Struct, frozen=True, gc=False):
    """No answer. A value, as an answer is: what follows from it depends on its type.

    Attributes:
        label: what the request is counted under in `requests_by_status`.
        reason: one line, without URL and without anything that was sent.
    """

    label: ClassVar[str] = "failed"

    reason: str


class NotConnected(Failure, frozen=True, gc=False):
    """No connection, so nothing was sent."""

    label = "not_connected"


class Hopeless(NotConnected, frozen=True, gc=False):
    """No connection, for a reason that lies in the settings if it is there from the start."""


class UnknownHost(Hopeless, frozen=True, gc=False):
    """The name of the host has no address."""

    label = "unknown_host"


class UntrustedHost(Hopeless, frozen=True, gc=False):
    """The certificate is not trusted, or what answers does not speak TLS."""

    label = "tls"


class Unwelcome(Hopeless, frozen=True, gc=False):
    """The endpoint ends the TLS handshake: it asks for a client certificate, or for another one."""

    label = "tls"


class ProxyRefused(Hopeless, frozen=True, gc=False):
    """A proxy of the environment does not let us through."""

    label = "proxy"


class BadAddress(Hopeless, frozen=True, gc=False):
    """The HTTP client cannot make a request of this URL."""

    label = "bad_address"


class UnknownResult(Failure, frozen=True, gc=False):
    """The request may have arrived: it is sent again, and its events may be stored twice."""


class TimedOut(UnknownResult, frozen=True, gc=False):
    """No answer in time."""

    label = "timeout"


class ConnectionLost(UnknownResult, frozen=True, gc=False):
    """The connection broke after the request was begun, or the answer was not HTTP."""

    label = "connection_lost"
