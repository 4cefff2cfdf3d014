"""TLS as the user set it up: whom to trust, who we are, and what a connection turned out to be."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from td_currents_cli.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Files in PEM form.

    Attributes:
        cacert: the authorities to trust, instead of those that are trusted by default.
        client_cert: who we are, where the endpoint asks for it; with its chain, and its key unless that is in a file
            of its own.
        client_key: the key of that certificate.
    """

    cacert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSession:
    """What secures a connection.

    Attributes:
        version: of the protocol, as `TLSv1.3`.
        issuer: who vouches for the endpoint's certificate.
        expires: until when, in UTC.
    """

    version: str
    issuer: str
    expires: datetime


def tls_context(files: TlsFiles, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What connections are checked with.

    Args:
        files: what the user said.
        default: makes a context that trusts whom the environment (`SSL_CERT_FILE`, `SSL_CERT_DIR`) or the system says.

    Raises:
        UsageError: a file that cannot be used.
    """
    try:
        context = default() if files.cacert is None else ssl.create_default_context(cafile=files.cacert)
    except OSError as error:
        raise UsageError(
            f"the certificates{_in(files.cacert)} cannot be loaded: {_reason(error, 'certificates')}",
            hint="Check SSL_CERT_FILE and SSL_CERT_DIR." if files.cacert is None else "Check --cacert.",
        ) from None
    if files.client_cert is not None:
        _present(context, files.client_cert, files.client_key)
    return context


def _present(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    try:
        # Without a function for the password, OpenSSL would ask for one on the terminal, and wait.
        context.load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:
        raise UsageError(
            f"the client certificate{_in(certificate)}{_in(key)} cannot be loaded: {_reason(error, 'a certificate')}",
            hint="--client-cert names the certificate, --client-key its key, both in PEM form.",
        ) from None


def _no_password() -> NoReturn:
    raise UsageError(
        "the key of the client certificate is encrypted",
        hint="Give one without a passphrase, readable by its owner only: `openssl pkey -in KEY -out PLAIN-KEY`.",
    )


def _in(path: str | None) -> str:
    return "" if path is None else f" in {path}"


def _reason(error: OSError, what: str) -> str:
    if isinstance(error, ssl.SSLError):
        return "the key is not that of the certificate" if "MISMATCH" in (error.reason or "") else f"not {what} in PEM"
    return error.strerror or type(error).__name__


_UNWELCOME: Final = re.compile(
    "ALERT.*_(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|PROTOCOL_VERSION|INSUFFICIENT_SECURITY)"
)
"""Alerts of the handshake (RFC 8446, section 6.2), as OpenSSL calls them."""


def is_unwelcome(error: ssl.SSLError) -> bool:
    """Whether the endpoint has said that it does not accept us, and so has not looked at what was sent."""
    return _UNWELCOME.search(error.reason or "") is not None


def tls_detail(error: ssl.SSLError) -> str:
    """What went wrong, in the words of OpenSSL, which hold nothing that was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    reason = (error.reason or "").replace("_", " ").lower()
    if reason in {"wrong version number", "http request"}:
        return f"what answers does not speak TLS ({reason})"
    return reason.partition(" alert ")[2] or reason


def watch(context: ssl.SSLContext) -> Callable[[], TlsSession | None]:
    """Keep what the latest handshake with this context came to; the function returned tells."""
    latest: list[TlsSession] = []

    class Watched(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            latest[:] = [_session(self)]

    context.sslobject_class = Watched
    return lambda: latest[0] if latest else None


def _session(connection: ssl.SSLObject) -> TlsSession:
    certificate: dict[str, Any] = connection.getpeercert() or {}
    issuer = {name: value for part in certificate["issuer"] for name, value in part}
    return TlsSession(
        version=connection.version() or "",
        issuer=", ".join(issuer[name] for name in ("organizationName", "commonName") if name in issuer),
        expires=datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC),
    )
