"""The only place that talks to Treasure Data's REST API: through its official client, with our patience and errors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final
from uuid import uuid4

import msgpack
import urllib3
from tdclient.api import API
from tdclient.errors import APIError
from urllib3.exceptions import HTTPError, MaxRetryError, ResponseError

from td_currents_cli import __version__
from td_currents_cli.errors import TdcurError, UnreachableError
from td_currents_cli.warehouse.download import BrokenError, gunzip, resumed_download
from td_currents_cli.warehouse.failure import (
    NoTableError,
    busy_error,
    conflicting_job,
    connection_error,
    http_status_error,
    job_failed_error,
    job_killed_error,
)
from td_currents_cli.warehouse.job import ENDED, POLLING, Job, JobResult, JobState, ProgressCallback
from td_currents_cli.warehouse.patience import RETRYABLE_STATUSES, RetryPolicy
from td_currents_cli.warehouse.settings import TdSettings

ENGINE: Final = "trino"


class _ConflictError(Exception):
    """A job with this `domain_key` was issued before.

    Attributes:
        job: its number, where the service tells it.
    """

    def __init__(self, job: str | None, error: TdcurError) -> None:
        super().__init__()
        self.job = job
        self.error = error


class _RetryingApi(API):
    """The official client, whose requests are made again, and whose errors are ours."""

    def __init__(self, settings: TdSettings, patience: RetryPolicy) -> None:
        super().__init__(
            settings.key.reveal(),
            user_agent=f"tdcur/{__version__}",
            endpoint=settings.server,
            retry_post_requests=False,
            timeout=patience.timeout,
        )
        self._host = settings.host
        self.patience = patience

    def send_request(
        self,
        method: str,
        url: str,
        fields: Mapping[str, Any] | None = None,
        body: Any = None,  # noqa: ANN401 -- as the client has it
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,  # noqa: ANN401 -- as above
    ) -> urllib3.BaseHTTPResponse:
        """As the client's own, with the whole answer read, so that one that breaks off is asked for again."""
        kwargs["preload_content"] = True
        answer = self._sent(method, url, dict(fields) if fields else None, body, dict(headers or {}), **kwargs)
        return urllib3.HTTPResponse(BytesIO(answer.data), status=answer.status, preload_content=False)

    def opened(self, path: str, begin: int) -> urllib3.BaseHTTPResponse:
        """The answer to a request for the bytes from an offset on, not yet read, without any coding of its own."""
        url, headers = self.build_request(path=path, headers={"accept-encoding": "identity"})
        if begin:
            headers["range"] = f"bytes={begin}-"
        return self._sent("GET", url, None, None, headers, preload_content=False, decode_content=False)

    def raise_error(self, msg: str, res: urllib3.BaseHTTPResponse, body: bytes | str) -> None:
        """Raises our errors instead of the client's."""
        data = body.encode() if isinstance(body, str) else body
        error = http_status_error(msg, res.status, data, self._host)
        if res.status == HTTPStatus.CONFLICT:
            raise _ConflictError(conflicting_job(data), error)
        raise error

    def _sent(self, *request: Any, **kwargs: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401 -- as above
        try:
            answer = super().send_request(*request, retries=self.patience.retry(), **kwargs)
        except MaxRetryError as error:
            raise connection_error(error.reason or ResponseError(), self._host) from None
        except (HTTPError, OSError) as error:
            raise connection_error(error, self._host) from None
        if answer.status in RETRYABLE_STATUSES:
            raise busy_error(answer.status, answer.data, self._host)
        return answer


class _HttpResultStream:
    """See `download.Part`."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, begin: int) -> None:
        self._answer = answer
        self._at_end = begin > 0 and answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        self.begin = 0 if answer.status == HTTPStatus.OK else begin

    def read(self, size: int, /) -> bytes:
        """See there."""
        if self._at_end:
            return b""
        try:
            return self._answer.read(size, decode_content=False)
        except (HTTPError, OSError) as error:
            raise BrokenError from error

    def close(self) -> None:
        """See there."""
        self._answer.close()


class TdClient:
    """An account of Treasure Data, whose tables are queried with Trino.

    Attributes:
        told: is told how each job stands.

    Args:
        settings: of the account.
        told: is told how each job stands.
        patience: how long the service is borne with.
    """

    def __init__(
        self, settings: TdSettings, *, told: ProgressCallback = lambda _: None, patience: RetryPolicy | None = None
    ) -> None:
        self._patience = patience or RetryPolicy()
        self._host = settings.host
        self._api = _RetryingApi(settings, self._patience)
        self.told = told

    def columns(self, database: str, table: str) -> dict[str, str]:
        """The columns of a table and their types, without `time`, which every table has.

        Raises:
            NoTableError: there is no such table.
            TdcurError: as `query`.
        """
        with _translated_errors(self._host):
            tables = self._api.list_tables(database)
        if table not in tables:
            raise NoTableError(
                f"the database {database} has no table {table}",
                hint="Its first row makes it. If events were sent there, see their write key and the table's name.",
            )
        return {str(name): str(kind) for name, kind, *_ in tables[table].get("schema") or []}

    def query(self, sql: str, database: str) -> JobResult:
        """Run a query to its end. Ctrl-C, or whatever else ends the wait, kills the job.

        Args:
            sql: for Trino.
            database: that the job is of.

        Raises:
            EndpointRefusedError: a wrong key, or no such database.
            InputError: the query failed, or was killed. NoTableError: there is no such table.
            UnreachableError: the service cannot be reached, or stays busy.
        """
        with _translated_errors(self._host):
            begun = self._patience.now()
            job = self._issued(sql, database)
            try:
                state = self._ended(job, begun)
            except BaseException:
                self._kill(job, begun)
                raise
            return self._answer(job, state)

    def rows(self, answer: JobResult) -> Iterator[list[Any]]:
        """The rows of a result, as they come.

        Raises:
            UnreachableError: the download broke again and again, or is not whole.
        """
        unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogatepass", max_buffer_size=0)
        path = f"/v3/job/result/{answer.job}?format=msgpack.gz"
        count = 0
        for piece in gunzip(resumed_download(lambda begin: self._part(path, begin), pause=self._patience.backoff)):
            unpacker.feed(piece)
            for row in unpacker:
                count += 1
                yield row
        if answer.count is not None and answer.count != count:
            raise UnreachableError(
                f"job {answer.job} has {answer.count:,} rows, {count:,} of them arrived", hint="Run the command again."
            )

    def _issued(self, sql: str, database: str) -> str:
        # An answer that is lost does not make a second job of one: it would be an INSERT done twice.
        key = uuid4().hex
        try:
            return self._api.query(sql, type=ENGINE, db=database, retry_limit=0, domain_key=key)
        except _ConflictError as conflict:
            if conflict.job is None:
                raise conflict.error from None
            return conflict.job

    def _ended(self, job: str, begun: float) -> str:
        for pause in POLLING.pauses():
            state = self._api.job_status(job)
            self.told(Job(job, state, self._patience.now() - begun))
            if state in ENDED:
                return state
            self._patience.sleep(pause)
        raise AssertionError

    def _answer(self, job: str, state: str) -> JobResult:
        if state == JobState.killed:
            raise job_killed_error(job)
        shown = self._api.show_job(job)
        if state == JobState.error:
            debug = shown.get("debug") or {}
            raise job_failed_error(job, "\n".join(str(debug.get(name) or "") for name in ("cmdout", "stderr")))
        schema = tuple((str(name), str(kind)) for name, kind, *_ in shown.get("hive_result_schema") or [])
        return JobResult(job, schema, shown.get("num_records"))

    def _kill(self, job: str, begun: float) -> None:
        # Whoever pressed Ctrl-C does not want to wait for a service that is busy.
        self._api.patience = replace(self._patience, attempts=1)
        with suppress(TdcurError, APIError):
            self._api.kill(job)
            self.told(Job(job, JobState.killed, self._patience.now() - begun))

    def _part(self, path: str, begin: int) -> _HttpResultStream:
        answer = self._api.opened(path, begin)
        there = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
        if answer.status not in (there | {HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE} if begin else there):
            raise http_status_error("Get job result failed", answer.status, answer.data, self._host)
        return _HttpResultStream(answer, begin)


@contextmanager
def _translated_errors(host: str) -> Iterator[None]:
    """What the client itself finds odd about an answer, as an error of ours. Its message may hold the answer."""
    try:
        yield
    except (APIError, LookupError, TypeError, ValueError):
        raise UnreachableError(
            f"{host} gave an answer that the REST API of Treasure Data does not give",
            hint="See TD_API_SERVER, or `?site=`.",
        ) from None
