"""Treasure Data's official client, unchanged, with the stand-in for its REST API."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tdclient.api import API
from tdclient.errors import AlreadyExistsError, AuthError, NotFoundError

from tests.td_service.service import API_KEY, Service

CSV = 'n,text,x\n1,"a ""b"", c",\n2,"☃\n",0.5\n'.encode()
ROWS = [[1, 'a "b", c', None], [2, "☃\n", 0.5]]


class Small(NamedTuple):
    columns: tuple[tuple[str, str], ...] = (("n", "bigint"), ("text", "varchar"), ("x", "double"))
    rows: tuple[list[Any], ...] = tuple(ROWS)


class Engine:
    """Gives the same result to each query."""

    def query(self, sql: str) -> Small:
        if "nonsense" in sql:
            raise ValueError("line 1:1: mismatched input")
        return Small()


def test_the_official_client(tmp_path: Path) -> None:
    """Issue, status, show, results in its forms, parallel download, kill, errors, and the same domain key twice."""
    with Service(Engine(), {("braze", "currents"): {"events": "string"}}) as service:
        api: Any = API(API_KEY, endpoint=f"{service.url}/")
        job = api.query("SELECT 1", type="trino", db="braze", domain_key="once")
        service.jobs[job].polls = 2
        assert [api.job_status(job) for _ in range(3)] == ["queued", "running", "success"]
        shown = api.show_job(job)
        assert (shown["num_records"], shown["query"]) == (2, "SELECT 1")
        assert shown["hive_result_schema"] == [list(column) for column in Small().columns]
        assert list(api.job_result(job)) == ROWS
        assert list(api.job_result_format(job, "json")) == ROWS
        assert api.job_result_format(job, "json", header=True) == [["n", "text", "x"], *ROWS]
        assert api.job_result_format(job, "msgpack") == ROWS
        api.download_job_result(job, str(tmp_path / "result.msgpack.gz"))
        packed = (tmp_path / "result.msgpack.gz").read_bytes()
        assert packed == service.jobs[job].result("msgpack.gz", header=False)
        assert service.jobs[job].result("csv", header=True) == CSV
        with pytest.raises(AlreadyExistsError, match=f'"conflicts_with":"{job}"'):
            api.query("SELECT 1", type="trino", db="braze", domain_key="once")
        wrong = api.query("nonsense", type="trino", db="braze")
        assert api.job_status(wrong) == "error"
        assert "mismatched input" in api.show_job(wrong)["debug"]["stderr"]
        slow = api.query("SELECT 2", type="trino", db="braze")
        service.jobs[slow].polls = 9
        assert api.kill(slow) == "running"
        assert api.job_status(slow) == "killed"
        assert api.list_tables("braze")["currents"]["schema"] == [["events", "string", "events"]]
        with pytest.raises(NotFoundError):
            api.show_job("9")
        with pytest.raises(AuthError):
            API("1/2", endpoint=f"{service.url}/").show_job(job)
