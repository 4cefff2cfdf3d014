"""Where requests go and the credentials for it: checked before the first one is made."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from td_currents_cli import __version__
from td_currents_cli.braze import POSTBACK_PATH, check_name, is_loopback
from td_currents_cli.errors import UsageError
from td_currents_cli.journal.keys import EndpointIdentity
from td_currents_cli.patterns import pattern
from td_currents_cli.secrets import KEY_PARAMETER, Secret, checked, read_secret, redact
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.tls import TlsFiles

_FORMAT: Final = f"Expected format: https://{{host}}{POSTBACK_PATH}DATABASE/TABLE"
_POSTBACK: Final = pattern(f"{POSTBACK_PATH}([^/]+)/([^/]+)")
_WRITE_KEY: Final = pattern(r"\d+/[0-9a-f]{40}", re.ASCII)
_V1_NAMES: Final = {"us01": "in", "ap01": "tokyo.in"}


class EndpointKind(Enum):
    POSTBACK_V1 = auto()
    POSTBACK_V2 = auto()
    STREAMING = auto()
    OTHER = auto()

    @property
    def is_postback(self) -> bool:
        """Whether it is Treasure Data's own Postback API, which expects a write key."""
        return self in {EndpointKind.POSTBACK_V1, EndpointKind.POSTBACK_V2}


_HOSTS: Final = {
    EndpointKind.POSTBACK_V1: pattern(r"(?:tokyo\.|[a-z]{2}\d{2}\.)?in\.treasuredata\.com"),
    EndpointKind.POSTBACK_V2: pattern(r"[a-z]{2}\d{2}\.records\.in\.treasuredata\.com"),
    EndpointKind.STREAMING: pattern(r"braze-in-streaming\.(?:[a-z0-9-]+\.)*treasuredata\.(?:com|co\.jp)"),
}


def _kind_of(host: str) -> EndpointKind:
    kind = next((kind for kind, pattern in _HOSTS.items() if pattern.fullmatch(host)), EndpointKind.OTHER)
    if kind is EndpointKind.OTHER and host.endswith((".treasuredata.com", ".treasuredata.co.jp")):
        raise UsageError(
            f"{host} is not a host of Treasure Data's Postback API",
            hint=_FORMAT.format(host="us01.records.in.treasuredata.com"),
        )
    return kind


KEY_HEADER: Final = "X-TD-Write-Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where requests go."""

    url: Secret  # a custom endpoint may have its key in it
    shown: str  # the same, redacted
    kind: EndpointKind
    write_key: Secret | None = None  # for `X-TD-Write-Key`
    token: Secret | None = None  # for `Authorization: Bearer`
    tls: TlsFiles = field(default_factory=TlsFiles)
    takes_key: bool = False  # whether a write key in the environment is for it
    origin: str = ""  # the variables or the settings file that named it; empty for the command line
    given: Secret | None = None  # the URL as the user wrote it, if it had a write key in it
    warnings: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        parts = urlsplit(self.url.reveal())
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def headers(self) -> dict[str, str]:
        """Return the headers of every request, secrets included: those of Braze's own sender, and a User-Agent."""
        headers = {
            "Content-Type": "application/json",
            "Braze-Currents-Version": "1",
            "User-Agent": f"tdcur/{__version__}",
        }
        if self.write_key is not None:
            headers[KEY_HEADER] = self.write_key.reveal()
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        return headers

    def braze_url(self, *, show_key: bool) -> str | None:
        """Return the URL that Braze needs, which can set no header: of a v1 host, with the key; None if it has none."""
        if not self.kind.is_postback or self.write_key is None:
            return None
        parts = urlsplit(self.url.reveal())
        host = parts.hostname or ""
        if self.kind is EndpointKind.POSTBACK_V2:
            site = host.partition(".")[0]
            host = f"{_V1_NAMES.get(site, f'{site}.in')}.treasuredata.com"
        key = quote(self.write_key.reveal(), safe="") if show_key else "***"
        return f"https://{host}{parts.path}?{KEY_PARAMETER}={key}"

    def identity(self) -> EndpointIdentity:
        return EndpointIdentity.of(self.url.reveal(), self.write_key or self.token)

    def require_credentials(self) -> None:
        """Check that Treasure Data's credentials are there. A dry run does without."""
        if self.kind.is_postback and self.write_key is None:
            raise UsageError(
                "no write key for Treasure Data's Postback API", hint="Set TD_WRITE_KEY, or give --write-key-file FILE."
            )
        if self.kind is EndpointKind.STREAMING and self.token is None:
            raise UsageError(
                "no token for the Braze Currents Streaming endpoint",
                hint="Put the write key into a file and give --token-file FILE, or set TDCUR_TOKEN.",
            )


def resolve(destination: Destination, environ: Mapping[str, str]) -> Endpoint:
    destination = destination.completed(environ)
    if destination.tls.client_key is not None and destination.tls.client_cert is None:
        raise UsageError("--client-key needs --client-cert", hint="Give both, or one file with both as --client-cert.")
    given = destination.resolved_url()
    parts = _split(given)
    host = (parts.hostname or "").rstrip(".")
    kind = _kind_of(host)
    if parts.scheme == "http" and not (is_loopback(host) or destination.allow_http):
        raise UsageError(
            f"{redact(given)} is plain http: events and key would be sent unencrypted",
            hint=f"Use {redact(parts._replace(scheme='https').geturl())}, or allow it with --allow-http.",
        )
    takes_key = kind.is_postback or (kind is EndpointKind.OTHER and parts.path.startswith(POSTBACK_PATH))
    if takes_key:
        match = _POSTBACK.fullmatch(parts.path)
        if match is None and kind.is_postback:
            raise UsageError(f"the path of the URL is not a Postback path of {host}", hint=_FORMAT.format(host=host))
        for name in match.groups() if match else ():
            check_name(name, "the URL")
    url_key, bare = _take_key(parts)
    url = bare.geturl() if takes_key and url_key is not None else given
    write_key = _write_key(destination, environ, url_key, kind, takes_key=takes_key)
    return Endpoint(
        url=Secret(url),
        shown=redact(given),
        kind=kind,
        write_key=write_key,
        token=_token(destination, environ, kind),
        tls=destination.tls,
        takes_key=takes_key,
        origin=destination.origin,
        given=None if url_key is None else Secret(given),
        warnings=tuple(_warnings(kind, write_key, url_key)),
    )


def _split(url: str) -> SplitResult:
    """Return the parts of the URL. Messages do not repeat it: a malformed one cannot be redacted reliably."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        # Raises for a name that no request could be made to, as `a..b`.
        (parts.hostname or "").encode("idna")
    except ValueError:
        is_whole = False
    if not is_whole or any(character <= " " or character == "\x7f" for character in url):
        raise UsageError("the URL is malformed", hint=_FORMAT.format(host="us01.records.in.treasuredata.com"))
    if "***@" in redact(url):  # also one with a slash, which ends the host
        raise UsageError(
            "the URL contains a user name or password",
            hint="Give a write key with --write-key-file or TD_WRITE_KEY, a token with --token-file or TDCUR_TOKEN.",
        )
    if parts.fragment:
        raise UsageError("the URL contains a fragment (#…), which is never sent", hint="Remove it, or write # as %23.")
    return parts


def _take_key(parts: SplitResult) -> tuple[Secret | None, SplitResult]:
    """Return the write key in the query, and the URL without it; the rest of the query stays byte for byte."""
    keys: set[Secret] = set()
    others: list[str] = []
    for parameter in parts.query.split("&"):
        name, _, value = parameter.partition("=")
        if unquote(name) == KEY_PARAMETER:
            keys.add(checked(unquote(value), "the write key in the URL"))
        else:
            others.append(parameter)
    if len(keys) > 1:
        raise UsageError("the URL contains two different write keys", hint="Keep the right one.")
    return next(iter(keys), None), parts._replace(query="&".join(others))


def _write_key(
    destination: Destination, environ: Mapping[str, str], url_key: Secret | None, kind: EndpointKind, *, takes_key: bool
) -> Secret | None:
    """Return the key for the header: from the file, the URL, or the environment.

    The environment's key only goes where a write key is expected: a custom endpoint must not see it.
    """
    file = destination.write_key_file
    if kind is EndpointKind.STREAMING:
        if file is not None or url_key is not None:
            raise UsageError(
                "the Braze Currents Streaming endpoint expects its key as a Bearer token",
                hint="Put the write key into a file and give it as --token-file FILE.",
            )
        return None
    if file is not None:
        key, place = read_secret(file, "write key"), "--write-key-file"
    elif takes_key and environ.get("TD_WRITE_KEY"):
        key, place = checked(environ["TD_WRITE_KEY"], "the write key in TD_WRITE_KEY"), "TD_WRITE_KEY"
    else:
        return url_key if takes_key else None
    if "%2f" in key.reveal().lower():
        raise UsageError(
            f"the write key in {place} is URL-encoded", hint="Write / instead of %2F: ACCOUNT/40 HEX DIGITS."
        )
    if url_key is not None and url_key != key:
        raise UsageError(f"{place} and the URL contain different write keys", hint="Keep the right one.")
    return key


def _token(destination: Destination, environ: Mapping[str, str], kind: EndpointKind) -> Secret | None:
    if kind.is_postback:
        if destination.token_file is not None:
            raise UsageError(
                "Treasure Data's Postback API expects a write key, not a token",
                hint="Give the key with --write-key-file FILE, or set TD_WRITE_KEY.",
            )
        return None
    if destination.token_file is not None:
        return read_secret(destination.token_file, "token")
    token = environ.get("TDCUR_TOKEN")
    return checked(token, "the token in TDCUR_TOKEN") if token else None


def _warnings(kind: EndpointKind, write_key: Secret | None, url_key: Secret | None) -> Iterator[str]:
    if kind is EndpointKind.POSTBACK_V2 and url_key is not None:
        yield (
            "warning: this host rejects a write key in the URL: `tdcur send` sends it in the header X-TD-Write-Key "
            "instead. Braze can only use the URL: it needs the URL of a v1 host, which `tdcur url` prints"
        )
    # Not refused: no document says that all keys look like this. But a wrong key gets 200 all the same.
    if kind.is_postback and write_key is not None and not _WRITE_KEY.fullmatch(write_key.reveal()):
        yield (
            "warning: the write key does not have the form ACCOUNT/40 HEX DIGITS; "
            "Treasure Data also responds with 200 to a wrong key, and drops the events"
        )
