"""TLS: trusted authorities, the client certificate, and what secures a connection."""

import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from td_currents_cli.braze import is_loopback
from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern
from td_currents_cli.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Files in PEM format."""

    cacert: str | None = None  # authorities to trust, instead of the default ones
    client_cert: str | None = None  # with its chain, and its key unless that is in `client_key`
    client_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSession:
    """What secures a connection."""

    version: str  # of the protocol, such as `TLSv1.3`
    issuer: str  # of the endpoint's certificate
    expires: datetime  # in UTC


def tls_context(files: TlsFiles, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return the context that connections are checked with.

    `default` makes one with the authorities of the environment (`SSL_CERT_FILE`, `SSL_CERT_DIR`) or the system.
    """
    try:
        context = default() if files.cacert is None else ssl.create_default_context(cafile=files.cacert)
    except OSError as error:
        raise UsageError(
            f"cannot load the certificates{_in(files.cacert)}: {_reason(error, 'certificates')}",
            hint="Check SSL_CERT_FILE and SSL_CERT_DIR." if files.cacert is None else "Check --cacert.",
        ) from None
    if files.client_cert is not None:
        try:
            # Without a function for the password, OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(files.client_cert, files.client_key, password=_no_password)
        except OSError as error:
            raise UsageError(
                f"cannot load the client certificate{_in(files.client_cert)}{_in(files.client_key)}:"
                f" {_reason(error, 'a certificate')}",
                hint="--client-cert names the certificate, --client-key its key, both in PEM format.",
            ) from None
    return context


def _no_password() -> NoReturn:
    raise UsageError(
        "the key of the client certificate is encrypted",
        hint="Give one without a passphrase, readable by its owner only: `openssl pkey -in KEY -out PLAIN-KEY`.",
    )


def _in(path: str | None) -> str:
    return "" if path is None else f" in {path}"


def _reason(error: OSError, what: str) -> str:
    if isinstance(error, ssl.SSLError):
        if "MISMATCH" in (error.reason or ""):
            return "the key does not match the certificate"
        return f"not {what} in PEM format"
    return error.strerror or type(error).__name__


# Alerts of the handshake (RFC 8446, section 6.2), as OpenSSL names them.
_REJECTED: Final = pattern(
    "ALERT.*_(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|PROTOCOL_VERSION|INSUFFICIENT_SECURITY)"
)


def rejects_client(error: ssl.SSLError) -> bool:
    """Return whether the endpoint has rejected this side of TLS, and so has not looked at what was sent."""
    return _REJECTED.search(error.reason or "") is not None


def tls_detail(error: ssl.SSLError) -> str:
    """Return what went wrong, in the words of OpenSSL, which contain nothing that was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    reason = (error.reason or "").replace("_", " ").lower()
    if reason in {"wrong version number", "http request"}:
        return f"the server does not speak TLS ({reason})"
    return reason.partition(" alert ")[2] or reason


def watch_handshakes(context: ssl.SSLContext) -> Callable[[], TlsSession | None]:
    """Return a function that returns what secures the latest connection; None without TLS or without a connection."""
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


@dataclass(frozen=True, slots=True)
class Proxy:
    url: str  # without user name and password
    authorization: Secret | None  # for `Proxy-Authorization`

    def headers(self) -> dict[str, str]:
        return {} if self.authorization is None else {"Proxy-Authorization": self.authorization.reveal()}


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy to use for a URL. Requests to this machine never use one."""
    target = urlsplit(url)
    proxies = getproxies()
    address = proxies.get(target.scheme) or proxies.get("all")
    if not address or is_loopback(target.hostname or "") or proxy_bypass(target.netloc):
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        is_http = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_http = False
    if not is_http:
        # It is not repeated: there may be a password in it.
        raise UsageError(
            f"the proxy that the environment sets for {target.scheme} is not an HTTP proxy",
            hint=f"Set {target.scheme}_proxy to an http:// URL, or add the host to no_proxy.",
        )
    authorization = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = Secret("Basic " + b64encode(credentials.encode()).decode())
    return Proxy(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", authorization)
