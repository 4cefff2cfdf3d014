"""Where Treasure Data's REST API is, and the key that opens it: from flags, the environment, and `~/.td/td.conf`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.errors import UsageError
from td_currents_cli.names import Site, is_loopback
from td_currents_cli.secret import Secret, checked, read_secret
from td_currents_cli.warehouse.conf_file import account_settings, conf_path

KEY: Final = "TD_API_KEY"
SERVER: Final = "TD_API_SERVER"

_HOSTS: Final = {
    Site.us01: "api.treasuredata.com",
    Site.ap01: "api.treasuredata.co.jp",
    Site.eu01: "api.eu01.treasuredata.com",
    Site.ap02: "api.ap02.treasuredata.com",
    Site.ap03: "api.ap03.treasuredata.com",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TdSettings:
    """An account of Treasure Data.

    Attributes:
        server: URL of its REST API, with a slash at the end.
        key: its API key.
    """

    server: str
    key: Secret

    @property
    def host(self) -> str:
        """The server as messages name it."""
        return urlsplit(self.server).netloc


def td_settings(site: Site | None, key_file: str | None, environ: Mapping[str, str]) -> TdSettings:
    """The settings that count: what was said on the command line, else the environment, else what `td` keeps.

    Args:
        site: where the account is.
        key_file: path of a file that holds the API key.
        environ: for `TD_API_KEY`, `TD_API_SERVER` and where `td.conf` is.

    Raises:
        UsageError: there is no key, or one of the settings makes no sense.
    """
    kept = account_settings(conf_path(environ)) if not (_set(environ, KEY) and _set(environ, SERVER)) else {}
    server = f"https://{_HOSTS[site]}" if site else _set(environ, SERVER) or kept.get("endpoint")
    return TdSettings(server=_server(server or f"https://{_HOSTS[Site.us01]}"), key=_key(key_file, environ, kept))


def _set(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _key(file: str | None, environ: Mapping[str, str], kept: Mapping[str, str]) -> Secret:
    if file is not None:
        return read_secret(file, "API key")
    if text := _set(environ, KEY):
        return checked(text, f"the API key in {KEY}")
    if text := kept.get("apikey", ""):
        return checked(text, f"the API key in {conf_path(environ)}")
    raise UsageError(
        "no API key for Treasure Data",
        hint=f"Set {KEY}, give --api-key-file FILE, or run `td account`. It is not the write key that `send` takes.",
    )


def _server(text: str) -> str:
    """A server as a URL that paths can be added to. As for Treasure Data's own clients, https need not be said."""
    wrong = UsageError(f"{SERVER} is no URL of a server", hint="It has the form https://api.treasuredata.com")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        raise wrong
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise wrong
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"{SERVER} is plain http: the API key could be read on its way", hint="Say https.")
    return f"{parts.scheme}://{parts.netloc}/"
