"""The client against a stand-in for Treasure Data's REST API."""

import gzip
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from td_currents_cli.errors import EndpointRefusedError, InputError, TdcurError, UnreachableError
from td_currents_cli.treasure_data.client import RetryPolicy, TdClient
from td_currents_cli.treasure_data.settings import td_settings
from td_currents_cli.treasure_data.updates import Download, Job, Retry, Update
from tests.td_service.service import API_KEY, Canned, Service, Trouble

Make = Callable[..., TdClient]

SQL = "SELECT events FROM currents"
ROWS = [[number, f'[{{"id": "e-{number}", "text": "☃ {number * 7919}"}}]', None] for number in range(1000)]


CANNED = Canned([("time", "bigint"), ("events", "varchar"), ("none", "varchar")], ROWS)


@pytest.fixture
def service(running: Service) -> Service:
    """A stand-in that knows nothing of other tests, and gives the same rows to every query."""
    running.reset(CANNED, {("braze", "currents"): {"events": "string"}})
    return running


@pytest.fixture
def client_of(service: Service) -> Make:
    """Makes a client that does not wait."""

    def make(key: str = API_KEY, *, sleep: Callable[[float], None] = lambda _: None, **options: Any) -> TdClient:
        settings = td_settings(None, None, service.environ(key))
        return TdClient(settings, retry_policy=RetryPolicy(backoff=0.001, timeout=5, sleep=sleep), **options)

    return make


def rows_of(client: TdClient) -> list[list[Any]]:
    return list(client.rows(client.query(SQL, "braze")))


def test_a_query_and_its_rows(service: Service, client_of: Make) -> None:
    """Issued once with a domain key and no retries there, waited for with growing pauses, and read to the last row."""
    service.polls = 4
    pauses: list[float] = []
    news: list[Update] = []
    assert rows_of(client_of(sleep=pauses.append, on_progress=news.append)) == ROWS
    assert [job.state for job in news if isinstance(job, Job)] == ["queued", "running", "queued", "running", "success"]
    assert news[-1] == Download(len(ROWS), len(ROWS))
    assert pauses == sorted(pauses)
    assert len(set(pauses)) == 4
    (issued,) = service.jobs.values()
    assert (issued.query, issued.database, issued.parameters["retry_limit"]) == (SQL, "braze", "0")
    assert issued.parameters["domain_key"]


def test_an_answer_that_is_lost_issues_no_second_job(service: Service, client_of: Make) -> None:
    """The job was issued, its number got lost: asked again, the service names the job by its domain key."""
    service.trouble = deque([("/v3/job/issue", Trouble(502, late=True))])
    result = client_of().query("INSERT INTO flat SELECT 1", "braze")
    assert list(service.jobs) == [result.job]


@pytest.mark.parametrize("path", ["/v3/job/issue", "/v3/job/status", "/v3/job/show", "/v3/job/result"])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again(service: Service, client_of: Make, path: str, status: int) -> None:
    """The reason of each retry is reported, with the time until then."""
    service.trouble = deque([(path, Trouble(status)), (path, Trouble(status))])
    news: list[Update] = []
    assert rows_of(client_of(on_progress=news.append)) == ROWS
    retries = [each for each in news if isinstance(each, Retry)]
    assert [each.reason.partition(" ")[2] for each in retries] == [f"returned HTTP {status}"] * 2
    assert all(0 <= each.seconds < 1 for each in retries)
    assert len(service.jobs) == 1


@pytest.mark.parametrize("cuts", [[0, 1, 2, 100], [3000] * 3, [0] * 5])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(service: Service, client_of: Make, cuts: list[int], ranges: bool) -> None:
    """Each row comes once, whether the server honours Range or sends all of it again."""
    service.cuts, service.ranges = deque(cuts), ranges
    news: list[Update] = []
    assert rows_of(client_of(on_progress=news.append)) == ROWS
    assert "the connection broke at byte 0" in str(news) or cuts[0]
    asked = [wanted for _, path, wanted in service.requests if "/result/" in path]
    assert len(asked) == len(cuts) + 1
    assert any(asked) == any(cuts)


def test_a_download_that_makes_no_progress(service: Service, client_of: Make) -> None:
    """It ends, and says where."""
    service.cuts = deque([100, *[0] * 20])
    with pytest.raises(UnreachableError, match="broke 6 times at byte 100"):
        rows_of(client_of())


@pytest.mark.parametrize(
    ("shown", "data", "message"),
    [
        ({"num_records": 1}, b"hello", "damaged"),
        ({"num_records": 1}, gzip.compress(b"\x01", mtime=0), "damaged"),
        ({"num_records": 1}, gzip.compress(b"\xc1", mtime=0), "damaged"),
        ({"num_records": "one"}, gzip.compress(b"\x91\x01", mtime=0)[:-1], "incomplete"),
        ({"num_records": 2}, gzip.compress(b"\x91\x01", mtime=0), "incomplete download: 1 of the 2 rows of job 1000"),
    ],
    ids=["text", "no row", "no msgpack", "cut", "too few"],
)
def test_a_result_that_is_none(
    service: Service, client_of: Make, shown: dict[str, Any], data: bytes, message: str
) -> None:
    """It is not taken for the rows, whatever it is."""
    service.trouble = deque(
        [("/v3/job/show", Trouble(200, {"status": "success"} | shown)), ("/v3/job/result", Trouble(200, data))]
    )
    with pytest.raises(UnreachableError, match=message):
        rows_of(client_of())


def test_an_empty_result(service: Service, client_of: Make) -> None:
    """No rows are no error."""
    service.engine = Canned([("n", "bigint")])
    assert rows_of(client_of()) == []


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("line 1:8: Column 'evnts' cannot be resolved", "job 1000 failed: the table has no column `evnts`"),
        ("line 1:1: Table td-presto.braze.currants does not exist", "the table does not exist"),
        ("Query exceeded per-node memory limit of 1GB", "it needs more memory"),
        ("Cannot cast 'jane@example.com' to BIGINT", "job 1000 failed: Cannot cast '…' to BIGINT"),
    ],
)
def test_a_job_that_fails(service: Service, client_of: Make, written: str, message: str) -> None:
    """It is said why, with what to do, and without what the engine quotes of the data."""
    service.engine = Canned(error=written)
    with pytest.raises(InputError) as caught:
        client_of().query(SQL, "braze")
    assert message in caught.value.message
    assert "jane" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Trouble(403, {"message": f"no access for {API_KEY}"}), EndpointRefusedError, "no access for ***"),
        (Trouble(404, {"error": "Couldn't find UserDatabase"}), EndpointRefusedError, "find UserDatabase"),
        (Trouble(409, {"error": "taken"}), InputError, "409: taken"),
        (Trouble(422, {"text": "no query"}), InputError, "422: no query"),
        (Trouble(302, {}), EndpointRefusedError, "returned HTTP 302"),
        (Trouble(400, {"message": ["odd"]}), EndpointRefusedError, "returned HTTP 400"),
        (Trouble(503, {"message": "maintenance"}), UnreachableError, "kept returning HTTP 503: maintenance"),
        (Trouble(200, {"hello": "world"}), UnreachableError, "unexpected response"),
    ],
)
def test_errors_of_the_service(
    service: Service, client_of: Make, answer: Trouble, kind: type[TdcurError], message: str
) -> None:
    """Each has its place in our tree, what the service says, and what to do; never a key."""
    service.trouble = deque([("/v3/job/issue", answer)] * 8)
    with pytest.raises(kind) as caught:
        client_of().query(SQL, "braze")
    assert message in caught.value.message
    assert API_KEY not in caught.value.message
    assert "world" not in caught.value.message
    assert caught.value.hint


def test_a_conflict_where_none_can_be(service: Service, client_of: Make) -> None:
    service.trouble = deque([("/v3/table/list", Trouble(409, {"error": "taken"}))])
    with pytest.raises(InputError, match="409: taken"):
        client_of().columns("braze", "currents")


def test_a_wrong_key(client_of: Make) -> None:
    """401 is not asked twice, and the key is not shown."""
    key = "1/0000000000000000000000000000000000000000"
    with pytest.raises(EndpointRefusedError) as caught:
        client_of(key).query(SQL, "braze")
    assert "401: Authentication required" in caught.value.message
    assert key not in caught.value.message + caught.value.hint


def test_nobody_listens() -> None:
    """It is said, with the host."""
    settings = td_settings(None, None, {"TD_API_KEY": API_KEY, "TD_API_SERVER": "http://127.0.0.1:9"})
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9: connection refused"):
        TdClient(settings, retry_policy=RetryPolicy(backoff=0.001)).query(SQL, "braze")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, InputError])
def test_an_interrupt_kills_the_job(service: Service, client_of: Make, stop: type[BaseException]) -> None:
    """Whoever stops waiting pays for no more of it."""
    service.polls = 100

    def sleep(_: float) -> None:
        raise stop("")

    jobs: list[Job] = []
    with pytest.raises(stop):
        client_of(sleep=sleep, on_progress=jobs.append).query(SQL, "braze")
    assert [job.killed for job in service.jobs.values()] == [True]
    assert jobs[-1].state == "killed"


def test_a_job_killed_by_somebody(service: Service, client_of: Make) -> None:
    """It is an error like another."""
    service.polls = 1

    def sleep(_: float) -> None:
        service.jobs["1000"].killed = True

    with pytest.raises(InputError, match="was killed"):
        client_of(sleep=sleep).query(SQL, "braze")


def test_columns_of_tables(client_of: Make) -> None:
    """Known without a query; a table that is not there is told from a database that is not there."""
    client = client_of()
    assert client.columns("braze", "currents") == {"events": "string"}
    with pytest.raises(InputError, match="the database braze has no table currants"):
        client.columns("braze", "currants")
    with pytest.raises(EndpointRefusedError, match="404"):
        client.columns("braise", "currents")
