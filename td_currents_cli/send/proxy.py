"""The proxy that the environment names for a URL: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`."""

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from td_currents_cli.errors import UsageError
from td_currents_cli.names import is_loopback
from td_currents_cli.secret import Secret


@dataclass(frozen=True, slots=True)
class Proxy:
    """What stands between us and the endpoint.

    Attributes:
        url: without user name and password.
        authorization: what `Proxy-Authorization` says, where the proxy wants to know.
    """

    url: str
    authorization: Secret | None

    def headers(self) -> dict[str, str]:
        """What is for the proxy alone."""
        return {} if self.authorization is None else {"Proxy-Authorization": self.authorization.reveal()}


def proxy_for(url: str) -> Proxy | None:
    """The proxy to use for a URL; None for none. What is on this machine is never asked for through a proxy.

    Raises:
        UsageError: the environment names something else than an HTTP proxy.
    """
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
            f"the environment names a proxy for {target.scheme} that is not an HTTP proxy",
            hint=f"Set {target.scheme}_proxy to an http:// URL, or add the host to no_proxy.",
        )
    return Proxy(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", _authorization(parts.username, parts.password))


def _authorization(user: str | None, password: str | None) -> Secret | None:
    if user is None:
        return None
    credentials = f"{unquote(user)}:{unquote(password or '')}"
    return Secret("Basic " + b64encode(credentials.encode()).decode())
