"""The only module that uses Treasure Data's REST API: through the official client, with our retries and errors."""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final
from uuid import uuid4

import msgpack
import urllib3
from msgspec import Struct
from tdclient.api import API
from tdclient.errors import APIError
from urllib3.exceptions import HTTPError, MaxRetryError, ResponseError

from td_currents_cli import __version__
from td_currents_cli.durations import ExponentialBackoff
from td_currents_cli.errors import InputError, TdcurError, UnreachableError
from td_currents_cli.treasure_data.errors import (
    ConflictError,
    NoTableError,
    busy_error,
    connection_error,
    http_status_error,
    job_failed_error,
)
from td_currents_cli.treasure_data.settings import TdSettings
from td_currents_cli.treasure_data.updates import ENDED, Download, Job, JobState, ProgressCallback, Retry, Update

PIECE: Final = 1 << 18  # bytes per read

ATTEMPTS: Final = 6  # consecutive connections that may break without a byte of progress

_GZIP: Final = zlib.MAX_WBITS | 16


class BrokenError(Exception):
    """A connection broke before the end of the response."""


def resumed_download(
    fetch: Callable[[int], tuple[int, Iterator[bytes]]],
    *,
    pause: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
    on_retry: Callable[[int, float], None] = lambda *_: None,
) -> Iterator[bytes]:
    """Yield the bytes of a result, in order, each once: after a break, the rest is requested with Range.

    `fetch` requests them from an offset on, and returns the offset of the first byte (0 if the server ignores Range)
    and the bytes. Both steps may raise BrokenError. `pause` is in seconds, before the second attempt without progress;
    it doubles with each further one. `on_retry` is called with the number of bytes received and the next pause.

    Raises:
        UnreachableError: the connection broke repeatedly at the same byte.
    """
    backoff = ExponentialBackoff(base=pause)
    received = failures = 0
    while True:
        try:
            begin, pieces = fetch(received)
            skip = received - begin
            for piece in pieces:
                fresh, skip = piece[skip:], max(0, skip - len(piece))
                if fresh:
                    received, failures = received + len(fresh), 0
                    yield fresh
        except BrokenError:
            failures += 1
            if failures >= ATTEMPTS:
                raise UnreachableError(
                    f"the download of the result broke {failures} times at byte {received:,}", hint="Try again later."
                ) from None
            next_in = backoff.pause(failures) if failures > 1 else 0
            on_retry(received, next_in)
            sleep(next_in)
        else:
            return


def gunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress gzip, also of several members.

    Raises:
        UnreachableError: the bytes are not gzip, or incomplete.
    """
    inflate = zlib.decompressobj(_GZIP)
    started = False
    try:
        for piece in packed:
            data = piece
            while data:
                if inflate.eof:
                    inflate, started = zlib.decompressobj(_GZIP), False
                started = True
                if plain := inflate.decompress(data):
                    yield plain
                data = inflate.unused_data
    except zlib.error:
        raise _damaged_error() from None
    if started and not inflate.eof:
        raise UnreachableError("the downloaded result is incomplete", hint="Run the command again.")


def _damaged_error() -> UnreachableError:
    return UnreachableError("the downloaded result is damaged", hint="Run the command again.")


class JobResult(Struct, frozen=True):
    job: str
    count: int | None  # rows, if the service returns the number


POLLING: Final = ExponentialBackoff(base=0.2, longest=15.0, growth=1.5)  # short at first, because most queries are


RETRYABLE_STATUSES: Final = (429, *range(500, 600))  # statuses that may be temporary


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    attempts: int = 7  # after the first
    backoff: float = 1.0  # seconds; doubles with each attempt
    timeout: float = 60.0  # seconds to connect, and between two pieces of a response
    sleep: Callable[[float], None] = time.sleep  # between polls of a job

    def retry(self, host: str = "", report: ProgressCallback = lambda _: None) -> urllib3.Retry:
        """Retry every method, and report it: a request that issues a job carries a `domain_key`."""
        retry = _ReportedRetry(
            total=self.attempts,
            connect=min(3, self.attempts),
            other=0,
            redirect=False,
            allowed_methods=None,
            status_forcelist=RETRYABLE_STATUSES,
            backoff_factor=self.backoff,
            backoff_max=30.0,
            backoff_jitter=self.backoff / 2,
            raise_on_status=False,
        )
        retry.host, retry.report = host, report
        return retry


class _ReportedRetry(urllib3.Retry):
    """Reports why a request failed and when it is sent again."""

    host: str
    report: ProgressCallback
    _pause: float | None = None

    def new(self, **changes: Any) -> "_ReportedRetry":  # noqa: ANN401 -- the base class's signature
        new = super().new(**changes)
        new.host, new.report = self.host, self.report
        return new

    def get_backoff_time(self) -> float:
        # Once, since with jitter each call returns another time.
        if self._pause is None:
            self._pause = super().get_backoff_time()
        return self._pause

    def sleep(self, response: urllib3.BaseHTTPResponse | None = None) -> None:
        last = self.history[-1]
        pause = (self.get_retry_after(response) if response else None) or self.get_backoff_time()
        reason = f"{self.host} returned HTTP {last.status}"
        if last.error is not None:
            reason = connection_error(last.error, self.host).message
        self.report(Retry(reason, pause))
        super().sleep(response)


class _RetryingApi(API):
    """The official client, with our retries and our errors."""

    def __init__(self, settings: TdSettings, retry_policy: RetryPolicy, report: ProgressCallback) -> None:
        super().__init__(
            settings.key.reveal(),
            user_agent=f"tdcur/{__version__}",
            endpoint=settings.server,
            retry_post_requests=False,
            timeout=retry_policy.timeout,
        )
        self._host = settings.host
        self._report = report
        self.retry_policy = retry_policy

    def send_request(
        self,
        method: str,
        url: str,
        fields: Mapping[str, Any] | None = None,
        body: Any = None,  # noqa: ANN401 -- the base class's signature
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,  # noqa: ANN401 -- as above
    ) -> urllib3.BaseHTTPResponse:
        """Read the whole response within the retries, so that one that breaks off is requested again."""
        kwargs["preload_content"] = True
        response = self._send(method, url, dict(fields) if fields else None, body, dict(headers or {}), **kwargs)
        return urllib3.HTTPResponse(BytesIO(response.data), status=response.status, preload_content=False)

    def open_range(self, path: str, begin: int) -> urllib3.BaseHTTPResponse:
        """Request the bytes from an offset on. The response is unread and has no content coding."""
        url, headers = self.build_request(path=path, headers={"accept-encoding": "identity"})
        if begin:
            headers["range"] = f"bytes={begin}-"
        return self._send("GET", url, None, None, headers, preload_content=False, decode_content=False)

    def raise_error(self, msg: str, res: urllib3.BaseHTTPResponse, body: bytes | str) -> None:  # noqa: ARG002 -- as the base
        raise http_status_error(res.status, body.encode() if isinstance(body, str) else body, self._host)

    def _send(self, *request: Any, **kwargs: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401 -- as above
        try:
            response = super().send_request(
                *request, retries=self.retry_policy.retry(self._host, self._report), **kwargs
            )
        except MaxRetryError as error:
            raise connection_error(error.reason or ResponseError(), self._host) from None
        except (HTTPError, OSError) as error:
            raise connection_error(error, self._host) from None
        if response.status in RETRYABLE_STATUSES:
            raise busy_error(response.status, response.data, self._host)
        return response


def _pieces(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Read the response, which is then closed. Raises BrokenError."""
    try:
        while piece := response.read(PIECE, decode_content=False):
            yield piece
    except (HTTPError, OSError) as error:
        raise BrokenError from error
    finally:
        response.close()


class TdClient:
    """An account of Treasure Data, whose tables are queried with Trino."""

    def __init__(
        self,
        settings: TdSettings,
        *,
        on_progress: ProgressCallback = lambda _: None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self._retry_policy = retry_policy or RetryPolicy()
        self._host = settings.host
        self.on_progress = on_progress
        self._api = _RetryingApi(settings, self._retry_policy, self._report)

    def _report(self, update: Update) -> None:
        self.on_progress(update)

    def columns(self, database: str, table: str) -> dict[str, str]:
        """Return the columns of a table and their types, without `time`, which every table has.

        Raises:
            NoTableError: the table does not exist.
            TdcurError: as `query`.
        """
        tables = self.tables(database)
        if table not in tables:
            raise NoTableError(
                f"the database {database} has no table {table}",
                hint="A table is created with its first row. If you sent events, check the write key and table name.",
            )
        return tables[table]

    def tables(self, database: str) -> dict[str, dict[str, str]]:
        """Return the columns of each table and their types, without `time`. Raises TdcurError, as `query`."""
        with _translated_errors(self._host):
            tables = self._api.list_tables(database)
            return {
                str(table): {str(name): str(kind) for name, kind, *_ in found.get("schema") or []}
                for table, found in tables.items()
            }

    def query(self, sql: str, database: str, domain_key: str | None = None) -> JobResult:
        """Run a Trino query and wait for it. Ctrl-C, or any other exception during the wait, kills the job.

        The service accepts one job with a `domain_key`; with one of the caller's, the query must be unlike all others.

        Raises:
            ConflictError: another query had this `domain_key`.
            EndpointRefusedError: the key is wrong, or the database does not exist.
            InputError: the query failed, or was killed. NoTableError: the table does not exist.
            UnreachableError: the service cannot be reached, or stays busy.
        """
        with _translated_errors(self._host):
            started = time.monotonic()
            job = self._issue(sql, database, domain_key)
            try:
                state = self._wait(job, started)
            except BaseException:
                self._kill(job, started)
                raise
            return self._result(job, state)

    def rows(self, result: JobResult) -> Iterator[list[Any]]:
        """Stream the rows of a result.

        Raises:
            UnreachableError: the download broke repeatedly, or is incomplete.
        """
        unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogatepass", max_buffer_size=0)
        path = f"/v3/job/result/{result.job}?format=msgpack.gz"
        count = 0

        def on_retry(received: int, pause: float) -> None:
            self.on_progress(Retry(f"{self._host}: the connection broke at byte {received:,}", pause))

        packed = resumed_download(
            lambda begin: self._fetch(path, begin), pause=self._retry_policy.backoff, on_retry=on_retry
        )
        try:
            for piece in gunzip(packed):
                unpacker.feed(piece)
                for row in unpacker:
                    if not isinstance(row, list):
                        raise _damaged_error()
                    count += 1
                    yield row
                self.on_progress(Download(count, result.count))
        except (msgpack.UnpackException, ValueError):
            raise _damaged_error() from None
        if result.count is not None and result.count != count:
            raise UnreachableError(
                f"incomplete download: {count:,} of the {result.count:,} rows of job {result.job}",
                hint="Run the command again.",
            )

    def is_unfinished(self, job: str) -> bool:
        """Tell whether a job is still queued or running. Raises TdcurError, as `query`."""
        with _translated_errors(self._host):
            return self._api.job_status(job) not in ENDED

    def _issue(self, sql: str, database: str, domain_key: str | None) -> str:
        # With a key, a repeated request does not start a second job, which could run an INSERT twice.
        key = domain_key or uuid4().hex
        try:
            return self._api.query(sql, type="trino", db=database, retry_limit=0, domain_key=key)
        except ConflictError as conflict:
            if conflict.job is None or (domain_key and self._api.show_job(conflict.job)["query"] != sql):
                raise
            return conflict.job

    def _wait(self, job: str, started: float) -> str:
        for pause in POLLING.pauses():
            state = self._api.job_status(job)
            self.on_progress(Job(job, state, time.monotonic() - started))
            if state in ENDED:
                return state
            self._retry_policy.sleep(pause)
        raise AssertionError

    def _result(self, job: str, state: str) -> JobResult:
        if state == JobState.killed:
            hint = "It was killed in the console, or by a limit of the account."
            raise InputError(f"job {job} was killed", hint=hint)
        details = self._api.show_job(job)
        if state == JobState.error:
            debug = details.get("debug") or {}
            raise job_failed_error(job, "\n".join(str(debug.get(name) or "") for name in ("cmdout", "stderr")))
        number = details.get("num_records")
        return JobResult(job, number if isinstance(number, int) else None)

    def _kill(self, job: str, started: float) -> None:
        # After Ctrl-C, nobody wants to wait for a busy service.
        self._api.retry_policy = replace(self._retry_policy, attempts=1)
        with suppress(TdcurError, APIError):
            self._api.kill(job)
            self.on_progress(Job(job, JobState.killed, time.monotonic() - started))

    def _fetch(self, path: str, begin: int) -> tuple[int, Iterator[bytes]]:
        response = self._api.open_range(path, begin)
        if begin and response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            response.close()
            return begin, iter(())
        if response.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise http_status_error(response.status, response.data, self._host)
        return 0 if response.status == HTTPStatus.OK else begin, _pieces(response)


@contextmanager
def _translated_errors(host: str) -> Iterator[None]:
    # The client's own messages may contain the response.
    try:
        yield
    except (APIError, LookupError, TypeError, ValueError):
        raise UnreachableError(
            f"unexpected response from {host}: this may not be Treasure Data's REST API",
            hint="Check TD_API_SERVER, or `?site=` in the table address.",
        ) from None
