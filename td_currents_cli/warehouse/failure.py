"""What Treasure Data says when something is wrong, as an error with what to do about it."""

import re
from typing import Final

import msgspec
from msgspec import Struct

from td_currents_cli.errors import EndpointRefusedError, InputError, TdcurError, UnreachableError

_LONGEST: Final = 300


class NoTableError(InputError):
    """A table that is not there. Treasure Data makes it with its first row, so it may yet come."""


class _ErrorDetails(Struct):
    conflicts_with: str | int | None = None


class _ErrorBody(Struct):
    """An error of the REST API. Its clients read `message` where it is, else `error`."""

    message: str | None = None
    error: str | None = None
    text: str | None = None
    details: _ErrorDetails | None = None


def http_status_error(what: str, status: int, body: bytes, host: str) -> TdcurError:
    """The error for an answer that is none of 2XX, 429 and 5XX.

    Args:
        what: was asked for, as td-client says it: "Query failed".
        status: the answer's.
        body: JSON with `error` and `message`, or something else.
        host: that answered.
    """
    kind, hint = _BY_STATUS.get(status, _OTHERS)
    return kind(f"{host} answered {status}{_server_message(body)}", hint=hint.format(what=what))


def busy_error(status: int, body: bytes, host: str) -> TdcurError:
    """The error for a service that went on to answer 429 or 5XX."""
    return UnreachableError(f"{host} went on to answer {status}{_server_message(body)}", hint="Try again later.")


def connection_error(reason: Exception, host: str) -> TdcurError:
    """The error for no answer at all, told by the type of what urllib3 raised."""
    text, hint = _BY_FAILURE.get(type(reason).__name__, ("the connection broke, again and again", "Try again later."))
    return UnreachableError(f"{host}: {text}", hint=hint)


def conflicting_job(body: bytes) -> str | None:
    """The job that was issued with the same `domain_key` before, of a 409; as td-client-ruby reads it."""
    details = _decode_body(body).details
    return None if details is None or details.conflicts_with is None else str(details.conflicts_with)


def job_failed_error(job: str, output: str) -> TdcurError:
    """The error for a job that ended in one.

    Args:
        job: its number.
        output: what the query engine wrote (`debug.cmdout` and `debug.stderr`). It may quote values of the table.
    """
    if _NO_TABLE.search(output):
        return NoTableError(
            f"job {job} failed: there is no such table", hint="`td table:list DATABASE` shows those there are."
        )
    for pattern, text, hint in _BY_OUTPUT:
        if match := pattern.search(output):
            return InputError(f"job {job} failed: {text.format(*match.groups())}", hint=hint)
    reason = _FAILED.search(output)
    said = f": {_without_values(reason[1])}" if reason else ""
    return InputError(f"job {job} failed{said}", hint=f"`td job:show {job}` and the console tell more.")


def job_killed_error(job: str) -> TdcurError:
    """The error for a job that somebody killed."""
    return InputError(f"job {job} was killed", hint="Somebody did that in the console, or a limit of the account.")


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
    """What a service says, on one line, without what it quotes: that may come from the data or hold a key."""
    line = _QUOTED.sub("'…'", _KEY.sub("***", " ".join(text.split())))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_KEY: Final = re.compile(r"\d+/[0-9a-f]{20,}", re.ASCII)
_FAILED: Final = re.compile(r"(?:[Qq]uery \S+ failed: |^error: )(.+)", re.MULTILINE)

_WRONG_KEY: Final = (
    "The API key is wrong, or of another site: see TD_API_KEY and TD_API_SERVER, or `?site=`. "
    "A write key opens nothing here."
)
_BY_STATUS: Final[dict[int, tuple[type[TdcurError], str]]] = {
    401: (EndpointRefusedError, _WRONG_KEY),
    403: (EndpointRefusedError, "The API key may not do that: ask for access to the database, or for a master key."),
    404: (EndpointRefusedError, "There is no such database or job at this site: `td db:list` shows what there is."),
    409: (InputError, "A job with the same domain_key has been issued before. Run the command again."),
    422: (InputError, "Treasure Data does not take this query as it is."),
}
_OTHERS: Final = (EndpointRefusedError, "See TD_API_SERVER, or `?site=`: this may be no REST API of Treasure Data.")

_BY_FAILURE: Final = {
    "NameResolutionError": ("no such host", "See TD_API_SERVER, or `?site=`."),
    "NewConnectionError": ("nothing listens there", "See TD_API_SERVER, or try again later."),
    "ConnectTimeoutError": ("no connection within a minute", "See the network and its proxies."),
    "SSLError": ("its certificate is not trusted", "See SSL_CERT_FILE, or the proxy on the way."),
    "ProxyError": ("the proxy did not connect", "See HTTP_PROXY."),
    "ReadTimeoutError": ("no answer within a minute", "Try again later."),
}

_NO_TABLE: Final = re.compile(r"Table \S+ does not exist|Table not found")
_BY_OUTPUT: Final = (
    (
        re.compile(r"Column '([^']{1,128})' cannot be resolved"),
        "the table has no column `{0}`",
        "Name the column with the batches: --column NAME.",
    ),
    (
        re.compile(r"exceeded .{0,40}memory|EXCEEDED_(?:LOCAL|GLOBAL)_MEMORY_LIMIT", re.IGNORECASE),
        "it needs more memory than the account has",
        "Narrow --since and --until, or count by less.",
    ),
    (
        re.compile(r"exceeded .{0,40}time|EXCEEDED_TIME_LIMIT", re.IGNORECASE),
        "it ran longer than the account allows",
        "Narrow --since and --until.",
    ),
    (
        re.compile(r"Access Denied|permission", re.IGNORECASE),
        "the API key may not read the table",
        "Ask for access to the database.",
    ),
)
