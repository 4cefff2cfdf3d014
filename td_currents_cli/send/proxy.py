"""The proxy that the environment names for a URL: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`."""

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from td_currents_cli.braze import is_loopback
from td_currents_cli.errors import UsageError
from td_currents_cli.secrets import Secret


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
