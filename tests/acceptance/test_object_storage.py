"""Object storage as input: the same output as from disk, against a server of S3's protocol on loopback."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar, Final
from urllib.parse import quote
from urllib.request import Request, urlopen
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_currents_cli import parse
from td_currents_cli.choices import To
from td_currents_cli.generate import GenerateFormat, GenerateRequest
from td_currents_cli.generate import command as generate
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.read import sources
from td_currents_cli.read.options import ReadOptions
from tests.scripted import KEY, Scripted

pytest.importorskip("obstore", reason="obstore (extra `cloud`) is not installed")
moto = pytest.importorskip("moto.server", reason="moto, a server of S3's protocol, is not installed")

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
EVENT: Final = b'{"event_type":"a","id":"%d","time":1,"user":{"user_id":"u"},"properties":{}}\n'
SECRET: Final = "wJalrXUtnFEMI"  # noqa: S105


def put(address: str, data: bytes = b"") -> None:
    headers = {"Content-Type": "application/octet-stream"}
    with urlopen(Request(address, data, headers, method="PUT"), timeout=60) as answer:  # noqa: S310 -- loopback
        answer.read()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    # Another server of this process would have the same objects, which cannot be replaced without a signature.
    with urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST"), timeout=60):
        pass
    server.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files in the forms that are read by streams and by ranges, in folders, with some that are left out."""
    top = tmp_path_factory.mktemp("data")
    shutil.copytree(SAMPLES / "rows", top / "rows")
    shutil.copytree(SAMPLES / "payloads", top / "payloads")
    (top / "a-b").mkdir()
    (top / "a").mkdir()
    (top / "a" / "x.jsonl.gz").write_bytes(gzip.compress(EVENT % 1))
    (top / "a-b" / "part-0").write_bytes(EVENT % 2)
    (top / "a-b" / "large.jsonl").write_bytes(b"".join(EVENT % number for number in range(100_000)))
    (top / "_SUCCESS").touch()
    (top / ".hidden.json").write_bytes(EVENT % 3)
    reading = ReadOptions.of()
    rows = sources([str(SAMPLES / "rows")])
    parse.run(ParseRequest(sources=rows, output=top / "events.parquet", to=To.PARQUET, reading=reading))
    # Its pages are larger than the pieces that are downloaded.
    event = {"event_type": "a", "id": "1", "time": 1, "user": {}, "properties": {"x": "x" * 300_000}}
    batches = [json.dumps([event | {"id": str(number)}]) for number in range(20)]
    pq.write_table(pa.table({"events": batches}), top / "pages.parquet", compression="none", use_dictionary=False)
    with ZipFile(top / "events.zip", "w") as archive:
        archive.writestr("one.jsonl", EVENT % 4)
    return top


@pytest.fixture(scope="module")
def bucket(endpoint: str, folder: Path) -> str:
    put(f"{endpoint}/events")
    for file in folder.rglob("*"):
        if file.is_file():
            put(f"{endpoint}/events/in/{file.relative_to(folder)}", file.read_bytes())
    return "s3://events/in"


def tdcur(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
    given = plain | credentials | {"HOME": "/nonexistent"} | variables
    environment = {name: value for name, value in given.items() if value}
    command = [sys.executable, "-m", "td_currents_cli", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )


COMMANDS: Final = (
    ("count", "{}"),
    ("count", "{}/", "--by", "source", "--format", "json", "--jobs", "2"),
    ("parse", "{}", "--jobs", "2"),
    ("parse", "{}/rows/rows.csv"),
    ("parse", "{}/events.parquet"),
    ("count", "{}/pages.parquet"),
    ("count", "{}/events.zip"),
    ("count", "{}/**/*.jsonl*"),
    ("count", "{}/a*/[px]*"),
    ("validate", "{}/payloads", "--format", "concise"),
    ("reconcile", "--sent", "{}/payloads", "--ingested", "{}/rows/rows.csv"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_output_is_the_same_as_from_disk(
    arguments: tuple[str, ...], endpoint: str, bucket: str, folder: Path
) -> None:
    local = tdcur(*[each.format(folder) for each in arguments])
    stored = tdcur(*[each.format(bucket) for each in arguments], AWS_ENDPOINT_URL=endpoint)

    def comparable(text: str) -> str:
        lines = text.replace(str(folder), bucket).splitlines()
        return "\n".join(line for line in lines if " checked in " not in line and "%, " not in line)

    assert stored.returncode == local.returncode
    if "json" in arguments:
        assert json.loads(stored.stdout)["counts"] == json.loads(comparable(local.stdout))["counts"]
    else:
        assert comparable(stored.stdout).split() == comparable(local.stdout).split()
        assert comparable(stored.stderr).split() == comparable(local.stderr).split()


TYPES: Final = ("*.email.[OS]*", "*.Purchase")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "export"
    generate.run(GenerateRequest(events=300, types=TYPES, shape=GenerateFormat.avro_export, output=folder))
    return folder


def test_an_export_gives_the_same_bytes_as_from_disk(export: Path, endpoint: str, tmp_path: Path) -> None:
    """Of all commands that prove and refill what Treasure Data lacks."""
    put(f"{endpoint}/currents")
    for file in export.rglob("*.avro"):
        put(f"{endpoint}/currents/export/{quote(str(file.relative_to(export)))}", file.read_bytes())
    rows, missing = tmp_path / "rows.csv", tmp_path / "missing.jsonl"
    generate.run(GenerateRequest(events=200, types=TYPES, shape=GenerateFormat.rows_csv, output=rows))
    against = ("--ingested", str(rows), "--expect-anonymous", "--missing-file", str(missing), "--format", "json")
    for command in (
        ("count", "{}", "--type", "!*.Open", "--since", "2026-07-01", "--by", "event_type,hour"),
        ("parse", "{}", "--jobs", "2"),
        ("validate", "{}", "--format", "sarif"),
        ("reconcile", "--sent", "{}", *against),
        ("send", "{}", "--concurrency", "1"),
    ):
        found: list[tuple[object, ...]] = []
        for path in (str(export), "s3://currents/export"):
            arguments = [each.format(path) for each in command]
            with Scripted().serving() as postback:
                if command[0] == "send":
                    arguments += ["--url", postback.url, "--journal", str(tmp_path / f"journal{len(found)}")]
                ended = tdcur(*arguments, AWS_ENDPOINT_URL=endpoint, TD_WRITE_KEY=KEY)
            assert ended.returncode in {0, 1}, ended.stderr
            output = "" if command[0] == "send" else ended.stdout.replace(path, "export")
            written = missing.read_bytes() if command[0] == "reconcile" else b""
            found.append((ended.returncode, output, written, postback.bodies))
        disk, stored = found
        assert stored == disk, command
        assert any(disk[1:]), command


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://events/none.json", "s3://events/none.json: no such object, and none below it"),
        ("s3://events/none/*.json", "s3://events/none/*.json: no object matches"),
        ("s3://nobucket/x", "s3://nobucket: no such bucket"),
    ],
)
def test_what_is_not_there_is_named(url: str, message: str, endpoint: str, bucket: str) -> None:
    ended = tdcur("count", url, AWS_ENDPOINT_URL=endpoint)
    assert (ended.returncode, message in ended.stderr) == (6, True), ended.stderr


class _Answers(BaseHTTPRequestHandler):
    endpoint: ClassVar[str]
    statuses: ClassVar[list[int]]  # of the next requests; the last one of all that follow
    requests: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.requests.append(self.command)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        data = (
            EVENT % 1
            if status == 200
            else b"<Error><Code>Other</Code><Message>" + SECRET.encode() + b"</Message></Error>"
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", "x")
        self.send_header("Last-Modified", "Wed, 01 Jul 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answers() -> Iterator[type[_Answers]]:
    class Answers(_Answers):
        statuses: ClassVar[list[int]] = [200]
        requests: ClassVar[list[str]] = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Answers.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_that_fails_is_repeated(answers: type[_Answers]) -> None:
    answers.statuses = [500, 200, 503, 200]
    ended = tdcur("count", "s3://bucket/x.json", AWS_ENDPOINT_URL=answers.endpoint)
    assert (ended.returncode, answers.requests) == (0, ["HEAD", "HEAD", "GET", "GET"]), ended.stderr


@pytest.mark.parametrize("scheme", ["s3"])
def test_denied_access_is_one_clear_line_without_secrets(scheme: str, answers: type[_Answers]) -> None:
    answers.statuses = [403]
    ended = tdcur("count", f"{scheme}://bucket/x.json", AWS_ENDPOINT_URL=answers.endpoint)
    assert ended.returncode == 6
    assert "s3://bucket: S3 denies access (HTTP 403)" in ended.stderr
    assert SECRET not in ended.stderr
    # It is denied only once it is read.
    answers.statuses = [200, 403]
    ended = tdcur("count", "s3://bucket/x.json", AWS_ENDPOINT_URL=answers.endpoint)
    assert (ended.returncode, "s3://bucket/x.json" in ended.stderr, "denies access" in ended.stderr) == (6, True, True)


def test_settings_are_checked(tmp_path: Path, endpoint: str, bucket: str) -> None:
    ended = tdcur("count", bucket, AWS_ENDPOINT_URL="http://example.com")
    assert (ended.returncode, "AWS_ENDPOINT_URL is not encrypted" in ended.stderr) == (2, True)
    ended = tdcur("count", f"s3://me:{SECRET}@bucket/x")
    assert (ended.returncode, "is not s3://BUCKET/KEY" in ended.stderr, SECRET in ended.stderr) == (2, True, False)
    ended = tdcur("count", "az://container/x")
    assert (ended.returncode, "AZURE_STORAGE_ACCOUNT_NAME" in ended.stderr) == (2, True)


def test_profiles_are_those_of_boto3(tmp_path: Path, endpoint: str, bucket: str) -> None:
    pytest.importorskip("boto3")
    file = tmp_path / "credentials"
    file.write_text(f"[mine]\naws_access_key_id = testing\naws_secret_access_key = {SECRET}\n", encoding="utf-8")
    variables = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    url = f"{bucket}/a/x.jsonl.gz"
    ended = tdcur("count", url, AWS_ENDPOINT_URL=endpoint, AWS_PROFILE="mine", **variables)
    assert ended.returncode == 0, ended.stderr
    ended = tdcur("count", url, AWS_ENDPOINT_URL=endpoint, AWS_PROFILE="other", **variables)
    assert (ended.returncode, "AWS_PROFILE is not a profile" in ended.stderr) == (2, True), ended.stderr


@pytest.mark.parametrize(
    ("module", "message", "hint"),
    [
        ("obstore.store", "s3:// needs obstore, which is not installed", "python3 -m pip install '.[cloud]'"),
        ("boto3", "the profiles of ~/.aws need boto3, which is not installed", "python3 -m pip install boto3"),
    ],
)
def test_a_missing_package_is_one_line_that_says_what_to_install(module: str, message: str, hint: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; from td_currents_cli.cli import main; main()"
    environment = os.environ | {"AWS_PROFILE": "x"}
    command = [sys.executable, "-c", code, "count", "s3://bucket/x"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (ended.returncode, message in ended.stderr, hint in ended.stderr) == (2, True, True), ended.stderr
