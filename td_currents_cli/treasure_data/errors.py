"""Errors of Treasure Data's REST API, with what to do about them."""

import re
from typing import Final

import msgspec
from msgspec import Struct

from td_currents_cli.errors import EndpointRefusedError, InputError, TdcurError, UnreachableError
from td_currents_cli.patterns import pattern

_MAX_MESSAGE: Final = 300


class NoTableError(InputError):
    """The table does not exist. Treasure Data creates it with its first row, so it may appear later."""


class ConflictError(InputError):
    """There is a job with this `domain_key`; `job` is its id, if the service returns it, as td-client-ruby reads it."""

    job: str | None = None


class JobRunningError(UnreachableError):
    """Another run is doing the same: this one can be repeated when it has ended."""


class _ErrorDetails(Struct):
    conflicts_with: str | int | None = None


class _ErrorBody(Struct):
    """An error of the REST API. Its clients read `message`, or else `error`."""

    message: str | None = None
    error: str | None = None
    text: str | None = None
    details: _ErrorDetails | None = None


def http_status_error(status: int, body: bytes, host: str) -> TdcurError:
    """Convert a response other than 2xx, 429 and 5xx."""
    kind, hint = _BY_STATUS.get(status, _OTHERS)
    error = kind(f"{host} returned HTTP {status}{_server_message(body)}", hint=hint)
    details = _decode_body(body).details
    if isinstance(error, ConflictError) and details is not None and details.conflicts_with is not None:
        error.job = str(details.conflicts_with)
    return error


def busy_error(status: int, body: bytes, host: str) -> TdcurError:
    return UnreachableError(f"{host} kept returning HTTP {status}{_server_message(body)}", hint="Try again later.")


def connection_error(reason: Exception, host: str) -> TdcurError:
    """Describe why there was no response, by the type of urllib3's exception."""
    text, hint = _BY_EXCEPTION.get(type(reason).__name__, ("the connection broke repeatedly", "Try again later."))
    return UnreachableError(f"{host}: {text}", hint=hint)


def job_failed_error(job: str, output: str) -> TdcurError:
    """Convert what the query engine wrote (`debug.cmdout`, `debug.stderr`). It may quote values of the table."""
    if _NO_TABLE.search(output):
        return NoTableError(
            f"job {job} failed: the table does not exist", hint="`td table:list DATABASE` lists the tables."
        )
    for sign, text, hint in _BY_OUTPUT:
        if match := sign.search(output):
            return InputError(f"job {job} failed: {text.format(*match.groups())}", hint=hint)
    reason = _FAILED.search(output)
    message = f": {_without_values(reason[1])}" if reason else ""
    return InputError(
        f"job {job} failed{message}", hint=f"For details, run `td job:show {job}` or open it in the console."
    )


def _server_message(body: bytes) -> str:
    found = _decode_body(body)
    text = found.message or found.error or found.text
    return f": {_without_values(text)}" if text else ""


def _decode_body(body: bytes) -> _ErrorBody:
    try:
        return msgspec.json.decode(body, type=_ErrorBody, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _ErrorBody()


def _without_values(text: str) -> str:
    # Quoted values may come from the data, or contain a key.
    line = _QUOTED.sub("'…'", _KEY.sub("***", " ".join(text.split())))
    return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}…"


_QUOTED: Final = pattern(r"'(?:[^']|'')*'")
_KEY: Final = pattern(r"\d+/[0-9a-f]{20,}", re.ASCII)
_FAILED: Final = pattern(r"(?:[Qq]uery \S+ failed: |^error: )(.+)", re.MULTILINE)

_WRONG_KEY: Final = (
    "The API key is wrong, or belongs to another site: check TD_API_KEY and TD_API_SERVER, or `?site=`. "
    "A write key does not work here."
)
_BY_STATUS: Final[dict[int, tuple[type[TdcurError], str]]] = {
    401: (EndpointRefusedError, _WRONG_KEY),
    403: (EndpointRefusedError, "The API key lacks permission: ask for access to the database, or for a master key."),
    404: (EndpointRefusedError, "The database or job does not exist at this site: `td db:list` lists the databases."),
    409: (ConflictError, "Another job has the same domain_key. Run the command again."),
    422: (InputError, "Treasure Data rejected the query."),
}
_OTHERS: Final = (EndpointRefusedError, "Check TD_API_SERVER, or `?site=`: this may not be Treasure Data's REST API.")

_BY_EXCEPTION: Final = {
    "NameResolutionError": ("unknown host", "Check TD_API_SERVER, or `?site=`."),
    "NewConnectionError": ("connection refused", "Check TD_API_SERVER, or try again later."),
    "ConnectTimeoutError": ("no connection within a minute", "Check the network and its proxies."),
    "SSLError": ("its certificate is not trusted", "Check SSL_CERT_FILE, or the proxy."),
    "ProxyError": ("the proxy did not connect", "Check HTTP_PROXY."),
    "ReadTimeoutError": ("no response within a minute", "Try again later."),
}

_NO_TABLE: Final = pattern(r"Table \S+ does not exist|Table not found")
_BY_OUTPUT: Final = (
    (
        pattern(r"Column '([^']{1,128})' cannot be resolved"),
        "the table has no column `{0}`",
        "Name the column with the batches: --column NAME.",
    ),
    (
        pattern(r"exceeded .{0,40}memory|EXCEEDED_(?:LOCAL|GLOBAL)_MEMORY_LIMIT", re.IGNORECASE),
        "it needs more memory than the account allows",
        "Narrow --since and --until, or group by fewer fields.",
    ),
    (
        pattern(r"exceeded .{0,40}time|EXCEEDED_TIME_LIMIT", re.IGNORECASE),
        "it ran longer than the account allows",
        "Narrow --since and --until.",
    ),
    (
        pattern(r"Access Denied|permission", re.IGNORECASE),
        "the API key is not allowed to read the table",
        "Ask for access to the database.",
    ),
)
