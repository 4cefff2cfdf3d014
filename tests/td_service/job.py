"""A job of the stand-in for Treasure Data, and its result in the forms the REST API has it in."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack

STATES = ("queued", "running")


@dataclass
class Job:
    """A query and what came of it."""

    id: str  # its number, as text
    database: str
    query: str  # as it was issued
    parameters: dict[str, str]  # all that was issued with it
    polls: int = 0  # how often it is still found at work
    error: str | None = None  # what the engine wrote; None where it succeeded
    killed: bool = False
    columns: Sequence[tuple[str, str]] = ()  # name and type of each
    rows: Sequence[Sequence[Any]] = field(default_factory=list)  # all of them

    @property
    def status(self) -> str:
        if self.killed:
            return "killed"
        if self.polls > 0:
            return STATES[self.polls % 2]
        return "success" if self.error is None else "error"

    def polled(self) -> str:
        """How it is found, by one who asks for its status."""
        status = self.status
        self.polls = max(0, self.polls - 1)
        return status

    def shown(self) -> dict[str, Any]:
        """As `/v3/job/show` answers."""
        return {
            "job_id": self.id,
            "type": "trino",
            "url": f"https://console.treasuredata.com/app/jobs/{self.id}",
            "database": self.database,
            "query": self.query,
            "status": self.status,
            "debug": {"cmdout": "started at 2026-11-24T00:00:00Z\n", "stderr": self.error or ""},
            "created_at": "2026-11-24 00:00:00 UTC",
            "updated_at": "2026-11-24 00:00:00 UTC",
            "start_at": "2026-11-24 00:00:00 UTC",
            "end_at": "2026-11-24 00:00:01 UTC",
            "num_records": len(self.rows),
            "result_size": len(self.result("msgpack.gz", header=False)),
            "hive_result_schema": json.dumps(list(self.columns)),
            "priority": 0,
            "retry_limit": 0,
        }

    def result(self, form: str, *, header: bool) -> bytes:
        """All rows. Raises KeyError for a form that there is none of."""
        if form == "json":
            return self._json(header=header)
        if form == "msgpack":
            return self._msgpack()
        if form == "msgpack.gz":
            return gzip.compress(self._msgpack(), mtime=0)
        return self._delimited({"csv": ",", "tsv": "\t"}[form], header=header)

    def _json(self, *, header: bool) -> bytes:
        lines = [[name for name, _ in self.columns], *self.rows] if header else self.rows
        return "".join(f"{json.dumps(list(line), ensure_ascii=False)}\n" for line in lines).encode()

    def _delimited(self, delimiter: str, *, header: bool) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        if header:
            writer.writerow([name for name, _ in self.columns])
        writer.writerows(self.rows)
        return text.getvalue().encode()

    def _msgpack(self) -> bytes:
        return b"".join(msgpack.packb(list(row)) for row in self.rows)
