"""A stand-in for Treasure Data's REST API: real HTTP on loopback, an engine of ours behind it.

Paths, forms and statuses as td-client (Python) uses them.
"""

import asyncio
import gzip
import json
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, NamedTuple, Self

import msgpack
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.tables import Tables, TdConnection

API_KEY = "1/fedcba9876543210fedcba9876543210fedcba98"


class Canned(NamedTuple):
    """An engine with the same result for each query; it is the result too."""

    columns: Sequence[tuple[str, str]] = ()
    rows: Sequence[Sequence[Any]] = ()
    error: str | None = None

    def query(self, sql: str) -> "Canned":
        if self.error is not None:
            raise ValueError(self.error)
        return self


@dataclass
class Job:
    id: str
    database: str
    query: str
    parameters: dict[str, str]  # all that was issued with it
    polls: int = 0  # how often it is still found at work
    error: str | None = None  # what the engine wrote; None where it succeeded
    killed: bool = False
    columns: Sequence[tuple[str, str]] = ()
    rows: Sequence[Sequence[Any]] = ()

    @property
    def status(self) -> str:
        if self.killed:
            return "killed"
        if self.polls > 0:
            return ("queued", "running")[self.polls % 2]
        return "success" if self.error is None else "error"

    def shown(self) -> dict[str, Any]:
        """As `/v3/job/show` answers, without what nobody reads."""
        return {
            "job_id": self.id,
            "type": "trino",
            "query": self.query,
            "status": self.status,
            "debug": {"cmdout": "started at 2026-11-24T00:00:00Z\n", "stderr": self.error or ""},
            "num_records": len(self.rows),
            "hive_result_schema": json.dumps(list(self.columns)),
        }


class Trouble(NamedTuple):
    """An answer that is given instead of the right one."""

    status: int
    body: dict[str, Any] | bytes = {}  # noqa: RUF012 -- never changed
    late: bool = False  # whether what was asked for is done all the same


@dataclass
class Service:
    """A running stand-in, which does what a test says. It is a context manager.

    The method `query` of its engine gives `columns` (name and type of each) and `rows`, or the error of a job.
    """

    engine: Any
    tables: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)  # columns and types, by names
    polls: int = 0  # how often a job is found at work before it has ended
    cuts: deque[int] = field(default_factory=deque)  # bytes after which the next downloads break, one each
    ranges: bool = True  # whether `Range` is honored
    trouble: deque[tuple[str, Trouble]] = field(default_factory=deque)  # responses to the next requests to such paths
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, and `Range` of downloads

    def __enter__(self) -> Self:
        routes = [
            Route("/v3/job/issue/{kind}/{database}", self._issue, methods=["POST"]),
            *(Route(f"/v3/job/{what}/{{job}}", self._job) for what in ("status", "show", "result")),
            Route("/v3/job/kill/{job}", self._job, methods=["POST"]),
            Route("/v3/table/list/{database}", self._tables),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), port=0, log_level="critical", lifespan="off", ws="none", loop="asyncio"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def reset(self, engine: Any, tables: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        self.engine, self.tables = engine, tables
        self.polls, self.ranges = 0, True
        for each in (self.cuts, self.trouble, self.jobs, self.requests):
            each.clear()

    def environ(self, key: str = API_KEY) -> dict[str, str]:
        """The variables that make a client talk to it."""
        return {"TD_API_KEY": key, "TD_API_SERVER": f"http://127.0.0.1:{self.port}"}

    def addressed(self, *addresses: str) -> Tables:
        """Its tables at these addresses, with the rows of all times."""
        found = tuple(map(parse_address, addresses or ("td://braze/currents",)))
        return Tables(addresses=found, period=Period(0.0), connection=TdConnection(environ=self.environ()))

    @property
    def queries(self) -> list[str]:
        return [job.query for job in self.jobs.values()]

    async def _issue(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) and not refusal.late:
            return _answer(refusal)
        form = _form(request.headers["content-type"], await request.body())
        key = form.get("domain_key")
        for job in self.jobs.values():
            if key and job.parameters.get("domain_key") == key:
                message = "Domain key has already been taken"
                return _failed(409, message, details={"conflicts_with": job.id})
        job = Job(str(1000 + len(self.jobs)), request.path_params["database"], form["query"], form, self.polls)
        self.jobs[job.id] = job
        await run_in_threadpool(self._run, job)
        return _answer(refusal) if refusal else JSONResponse({"job_id": job.id, "database": job.database})

    def _run(self, job: Job) -> None:
        try:
            result = self.engine.query(job.query)
            job.columns, job.rows = list(result.columns), [list(row) for row in result.rows]
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with a query is said of its job
            job.error = f"Query 20261124_000000_00000_aaaaa failed: {error}"

    async def _job(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return _answer(refusal)
        job = self.jobs.get(request.path_params["job"])
        if job is None:
            return _failed(404, "Couldn't find Job")
        match request.url.path.split("/")[3]:
            case "status":
                status, job.polls = job.status, max(0, job.polls - 1)
                return JSONResponse({"job_id": job.id, "status": status})
            case "show":
                return JSONResponse(job.shown())
            case "kill":
                former, job.killed = job.status, True
                return JSONResponse({"job_id": job.id, "former_status": former})
        return self._download(request, job)

    async def _tables(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return _answer(refusal)
        database = request.path_params["database"]
        schemas = {
            table: json.dumps([[name, kind, name] for name, kind in columns.items()])
            for (of, table), columns in {**self.tables, **getattr(self.engine, "schemas", {})}.items()
            if of == database
        }
        numbers = {"id": 1, "count": 1, "estimated_storage_size": 1}
        tables = [{**numbers, "name": table, "schema": schema} for table, schema in schemas.items()]
        if not tables and self.tables:
            return _failed(404, f"Couldn't find UserDatabase with name = {database}")
        return JSONResponse({"database": database, "tables": tables})

    def _download(self, request: Request, job: Job) -> Response:
        assert request.query_params["format"] == "msgpack.gz"
        data = gzip.compress(b"".join(msgpack.packb(list(row)) for row in job.rows), mtime=0)
        begin, headers, status = 0, {"content-type": "application/octet-stream"}, 200
        if self.ranges and (wanted := request.headers.get("range")):
            begin = int(wanted.removeprefix("bytes=").partition("-")[0])
            headers["content-range"], status = f"bytes {begin}-{len(data) - 1}/{len(data)}", 206
            if begin >= len(data):
                return Response(status_code=416)
        data = data[begin:]
        if not self.cuts:
            return Response(data, status, headers)
        headers["content-length"] = str(len(data))
        return StreamingResponse(_broken(data[: self.cuts.popleft()]), status, headers)

    def _refusal(self, request: Request) -> Trouble | None:
        path = request.url.path
        self.requests.append((request.method, path, request.headers.get("range", "")))
        if request.headers.get("authorization") != f"TD1 {API_KEY}":
            return Trouble(401, {"error": "Authentication required", "message": "Authentication required"})
        if self.trouble and path.startswith(self.trouble[0][0]):
            return self.trouble.popleft()[1]
        return None


async def _broken(data: bytes) -> Any:
    yield data
    # What is sent is on its way before the connection goes.
    await asyncio.sleep(0.01)
    raise ConnectionResetError


def _answer(trouble: Trouble) -> Response:
    response = Response if isinstance(trouble.body, bytes) else JSONResponse
    return response(trouble.body, trouble.status)


def _failed(status: int, message: str, **more: Any) -> Response:
    return JSONResponse({"error": message, "text": message, "message": message, "severity": "error", **more}, status)


def _form(kind: str, body: bytes) -> dict[str, str]:
    """The fields of a body as td-client sends them: multipart."""
    message: Any = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=HTTP)
    return {
        part.get_param("name", header="content-disposition"): (part.get_payload(decode=True) or b"").decode()
        for part in message.iter_parts()
    }
