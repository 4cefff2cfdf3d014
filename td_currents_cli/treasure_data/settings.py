"""URL and API key of Treasure Data's REST API, from flags, the environment, and `~/.td/td.conf`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.braze import Site, is_loopback
from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern
from td_currents_cli.secrets import Secret, checked, read_secret

_SECTION: Final = pattern(r"\[(?P<name>.+)\]")
_SETTING: Final = pattern(r"(?P<name>\w+)\s*=\s*(?P<value>.+)")


def conf_path(environ: Mapping[str, str]) -> Path:
    """Find the file: `TD_CONFIG_PATH`, which `td` itself reads too, or the one in the home folder."""
    if path := environ.get("TREASURE_DATA_CONFIG_PATH") or environ.get("TD_CONFIG_PATH"):
        return Path(path)
    return Path(environ.get("HOME") or "~").expanduser() / ".td" / "td.conf"


def account_settings(path: Path) -> dict[str, str]:
    """Read the section `account`: `apikey`, `endpoint` and more. It is empty if there is no such file.

    Raises:
        UsageError: the file cannot be read, or a line is invalid; the message has its number, not its content.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    section, settings = "", dict[str, str]()
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if match := _SECTION.fullmatch(stripped):
            section = match["name"].strip()
        elif match := _SETTING.fullmatch(stripped):
            if section == "account":
                settings[match["name"]] = match["value"].strip()
        else:
            raise UsageError(
                f"{path}:{number}: expected [section] or name = value", hint="Fix the line, or set TD_API_KEY."
            )
    return settings


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
    server: str  # URL, ending in a slash
    key: Secret

    @property
    def host(self) -> str:
        return urlsplit(self.server).netloc


def td_settings(site: Site | None, key_file: str | None, environ: Mapping[str, str]) -> TdSettings:
    """Read the settings: the command line first, then the environment, then the configuration of `td`.

    Raises:
        UsageError: there is no key, or a setting is invalid.
    """
    td_conf = account_settings(conf_path(environ)) if not (_set(environ, KEY) and _set(environ, SERVER)) else {}
    server = f"https://{_HOSTS[site]}" if site else _set(environ, SERVER) or td_conf.get("endpoint")
    return TdSettings(server=_server(server or f"https://{_HOSTS[Site.us01]}"), key=_key(key_file, environ, td_conf))


def _set(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _key(file: str | None, environ: Mapping[str, str], td_conf: Mapping[str, str]) -> Secret:
    if file is not None:
        return read_secret(file, "API key")
    if text := _set(environ, KEY):
        return checked(text, f"the API key in {KEY}")
    if text := td_conf.get("apikey", ""):
        return checked(text, f"the API key in {conf_path(environ)}")
    raise UsageError(
        "no Treasure Data API key",
        hint=f"Set {KEY}, use --api-key-file FILE, or run `td account`. The write key of `send` does not work here.",
    )


def _server(text: str) -> str:
    # As in Treasure Data's own clients, https:// may be left out.
    invalid = UsageError(f"{SERVER} is not a server URL", hint="Use a URL such as https://api.treasuredata.com")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid from None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        raise invalid
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise invalid
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"{SERVER} uses http: the API key would be sent unencrypted", hint="Use https.")
    return f"{parts.scheme}://{parts.netloc}/"
