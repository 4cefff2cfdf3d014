"""Odd files, as a person has them, through the real command: a clear line, the right exit code, nothing private."""

import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import TDCUR, tdcur

SECRET = "reader-3f9c@example.com"  # noqa: S105 -- an address, not a password
"""Stands in every payload; no message may hold it."""

EVENT = (
    '{"event_type":"users.messages.email.Open","id":"00000000-0000-4000-8000-000000000001","time":1790000000,'
    '"user":{"user_id":"u","external_user_id":"WHO"},"properties":{"dispatch_id":"d","email_address":"WHO"}}'
).replace("WHO", SECRET)
PAYLOAD = '{"events":[' + EVENT + "]}"
LONG = 50_000_000

verbs = pytest.mark.parametrize("verb", ["validate", "count", "parse"])


def assert_decent(result: subprocess.CompletedProcess[bytes]) -> None:
    """No traceback, no admission of a defect, nothing private in a message; lines that can be read."""
    assert b"Traceback" not in result.stderr
    assert b"defect" not in result.stderr
    assert SECRET.encode() not in result.stderr
    assert all(len(line) < 1000 for line in result.stderr.split(b"\n"))


NESTED = '{"a":' * 100_000 + "1" + "}" * 100_000

BAD = {
    "empty": (b"", 1, ":1:1 TDC005"),
    "white space": (b" \n", 1, ":2:1 TDC005"),
    "no events in an array": (b"[]", 0, ":1:1 "),
    "null": (b"null", 1, ":1:1 TDC010"),
    "a number": (b"17", 1, ":1:1 TDC010"),
    "a text": (f'"{SECRET}"'.encode(), 1, ":1:1 TDC010"),
    "an element that is a text": (f'{{"events":["{SECRET}"]}}'.encode(), 1, ":1:12 TDC101"),
    "not a number": (PAYLOAD.replace("1790000000", "NaN").encode(), 1, ":1:105 "),
    "truncated": (PAYLOAD.encode()[:-9], 1, f":1:{len(PAYLOAD) - 8} TDC002"),
    "truncated gzip": (gzip.compress(PAYLOAD.encode())[:-8], 6, " TDC001"),
    "truncated gzip header": (gzip.compress(PAYLOAD.encode())[:5], 6, ":1:1 TDC001"),
    "invalid UTF-8": (PAYLOAD.encode().replace(b'"d"', b'"\xff"'), 1, " TDC003"),
    "UTF-16": (PAYLOAD.encode("utf-16"), 0, ":1:1 TDC004"),
    "UTF-16 that is truncated": (PAYLOAD.encode("utf-16")[:-1], 6, f":1:{len(PAYLOAD)} TDC001"),
    "Parquet": (b"PAR1\x15\x04\r" + SECRET.encode(), 6, " TDC001"),
    "a page": (b"<!DOCTYPE html><html>" + SECRET.encode(), 1, ":1:1 TDC006"),
    "binary junk": (b"\x00\xff\x80junk" + SECRET.encode() + bytes(range(256)), 1, ":1:1 TDC006"),
    "another CSV": (f"time,email\n1,{SECRET}\n".encode(), 1, ":1:1 TDC006"),
    "a bad row": (f'time,events\n1,"{SECRET}"x\n'.encode(), 1, ":2 (row 1) TDC020"),
    "a bad cell": (f"time,events\n1,{SECRET}\n".encode(), 1, ":2 (row 1) TDC002"),
    "nested objects": (PAYLOAD.replace('"d"', NESTED).encode(), 1, " TDC007"),
    "nested arrays": (b"[" * 100_000 + b"]" * 100_000, 1, " TDC007"),
    "nested and cut off": (b"[" * 100_000, 1, " TDC007"),
}
"""What is in the file, the exit code, and what stands behind its name in the message."""


@pytest.fixture
def odd_files(tmp_path: Path) -> dict[str, Path]:
    """All of them, each under a name of its own."""
    paths = {name: tmp_path / f"{name.replace(' ', '-')}.json" for name in BAD}
    for name, path in paths.items():
        path.write_bytes(BAD[name][0])
    return paths


def assert_said(said: str, path: Path, place: str) -> None:
    """The path, the place and the code stand on one line."""
    lines = [line for line in said.splitlines() if line.startswith((f"{path}:", f"{path} "))]
    assert any(place in line.removeprefix(str(path)) for line in lines), f"{path}{place} in\n{said}"


@pytest.mark.parametrize("name", BAD)
def test_an_odd_file_is_one_clear_line(name: str, tmp_path: Path) -> None:
    """Its name, the place and a code; the exit code of the table; nothing private."""
    content, code, place = BAD[name]
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    result = tdcur("count", path)
    assert result.returncode == code
    assert_decent(result)
    assert_said(result.stderr.decode(), path, place)


@verbs
def test_all_odd_files_at_once(verb: str, odd_files: dict[str, Path]) -> None:
    """Each costs itself: every one is read and named by every verb, and the worst decides the exit code.

    As JSON, standard output is one document with the same exit code, a problem for each file, and no values.
    """
    order = sorted(BAD, key=lambda name: BAD[name][1])
    for names in order, [name for name in order if BAD[name][1] != 6], [name for name in order if not BAD[name][1]]:
        # Without --verbose, `validate` shows three problems of a kind.
        result = tdcur(verb, *["--verbose"][: verb == "validate"], *[odd_files[name] for name in names])
        assert result.returncode == max(BAD[name][1] for name in names)
        assert_decent(result)
        said = (result.stdout if verb == "validate" else result.stderr).decode()
        for name in names if verb == "validate" else names[:10]:
            assert_said(said, odd_files[name], BAD[name][2])
    if verb != "parse":
        result = tdcur(verb, "--format", "json", *odd_files.values())
        document = json.loads(result.stdout)
        assert (document["command"], document["exit_code"], result.returncode) == (verb, 6, 6)
        assert {problem["source"] for problem in document["problems"]} == set(map(str, odd_files.values()))
        assert SECRET.encode() not in result.stdout + result.stderr


@verbs
def test_a_line_of_50_mb(verb: str, tmp_path: Path) -> None:
    """Read if it is JSON, one clear line if it is not; a request of that size is something to remark, no more."""
    options = ["-o", "/dev/null"] if verb == "parse" else []
    path = tmp_path / "long.json"
    for end, code in (("]}", int(verb == "validate")), ("]", 1)):
        path.write_text(PAYLOAD.replace('"d"', '"' + "d" * LONG + '"').removesuffix("]}") + end, encoding="utf-8")
        result = tdcur(verb, path, *options)
        assert result.returncode == code
        assert_decent(result)
        assert (b" TDC002" in result.stdout + result.stderr) == (end == "]")


@verbs
@pytest.mark.parametrize("name", ["missing.json", "without-payloads", "private.json"])
def test_what_is_not_there_stops_the_run(verb: str, name: str, tmp_path: Path) -> None:
    """Exit code 6, the path and a hint on standard error, nothing on standard output; as JSON, an envelope."""
    path = tmp_path / name
    if name == "without-payloads":
        path.mkdir()
        (path / "notes.txt").write_text(SECRET, encoding="utf-8")
    elif name == "private.json":
        path.write_text(PAYLOAD, encoding="utf-8")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("root may read everything")
    result = tdcur(verb, path)
    assert (result.returncode, result.stdout) == (6, b"")
    assert_decent(result)
    error, hint = result.stderr.decode().splitlines()
    assert error.startswith(f"error: {path}: ")
    assert hint.startswith("hint: ")
    if verb != "parse":
        result = tdcur(verb, "--format", "json", path)
        document = json.loads(result.stdout)
        assert (document["exit_code"], result.returncode) == (6, 6)
        assert str(path) in document["error"]["message"]


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    result = tdcur("parse", "-o", tmp_path, stdin=PAYLOAD.encode())
    assert (result.returncode, result.stdout) == (6, b"")
    assert result.stderr.decode().splitlines()[0] == f"error: cannot write {tmp_path}: it is a folder"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("validate x.jsonl", 0),
        ("validate x.jsonl --format jsonl", 0),
        ("parse x.jsonl", 0),
        ("count x.jsonl --by id", 0),
        ("count x.jsonl --by id --format csv", 0),
        ("validate x.jsonl --select TDC201 --strict", 1),
        ("generate --events 5000 -o -", 0),
    ],
)
def test_a_reader_that_goes_away_is_no_accident(arguments: str, code: int, tmp_path: Path) -> None:
    """`| head -1` gets its line, and the exit code tells what is known of the data, as without `head`."""
    events = [EVENT.replace("email.Open", "email.Opened").replace('"id":"', f'"id":"{n}-') for n in range(3000)]
    (tmp_path / "x.jsonl").write_text("\n".join(events), encoding="utf-8")
    script = f"{sys.executable} -m td_currents_cli {arguments} | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert result.returncode == code
    assert len(result.stdout.splitlines()) == 1
    assert b"error" not in result.stderr


@verbs
def test_no_input_and_a_terminal_is_asked_for_help(verb: str) -> None:
    """Help on standard error and exit code 2: never a command that seems to hang."""
    ours, theirs = pty.openpty()
    try:
        result = subprocess.run([*TDCUR, verb], stdin=theirs, capture_output=True, check=False, timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"Usage: " in result.stderr


@verbs
def test_names_that_are_no_unicode(verb: str, tmp_path: Path) -> None:
    """A file name that is not UTF-8 and a type that is a lone surrogate, on a terminal that knows only Latin-1."""
    path = os.fsencode(tmp_path) + b"/\xff\n.json"
    Path(os.fsdecode(path)).write_bytes(EVENT.replace("users.messages", "\\ud800\\u001b[31m…").encode() + b"\n[1]")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    for form in [""] if verb == "parse" else ["json", "text" if verb == "validate" else "table"]:
        command = [*TDCUR, verb, os.fsdecode(path), *(["--format", form] if form else [])]
        result = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
        assert result.returncode == 1
        assert_decent(result)
        assert b"\x1b" not in result.stdout + result.stderr
        if form == "json":
            assert json.loads(result.stdout)["problems"][-1]["source"] == os.fsdecode(path)


INPUTS = Path(__file__).parent.parent / "cases" / "inputs"


def counted(*arguments: object, stdin: bytes = b"") -> tuple[int, int, list[str]]:
    """Exit code, number of events and codes of problems."""
    result = tdcur("count", "--format", "json", *arguments, stdin=stdin)
    document = json.loads(result.stdout)
    return result.returncode, document["summary"]["total"], [problem["code"] for problem in document["problems"]]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("04b_utf16_rows.csv", ["TDC004"]),
        ("33b_utf32.json", ["TDC004"]),
        ("24_export.zip", []),
        ("24e_gz_twice.json.gz", []),
    ],
)
def test_files_that_other_tools_wrote(name: str, codes: list[str], tmp_path: Path) -> None:
    """From a file, a pipe, compressed, and in several processes: every verb reads what was sent."""
    path, packed = INPUTS / name, tmp_path / "packed"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert counted(path) == counted("--jobs", "2", packed) == counted(stdin=path.read_bytes()) == (0, 4, codes)
    parsed = tdcur("parse", path)
    assert (parsed.returncode, len(parsed.stdout.splitlines())) == (0, 4)
    assert tdcur("reconcile", "--sent", INPUTS / "sent.json", "--ingested", path).returncode == 0
    destination = ("--url", "http://127.0.0.1:1/postback/v3/event/abc/abc", "--no-check", "--format", "json")
    sent = tdcur("send", path, "--dry-run", *destination)
    assert json.loads(sent.stdout)["summary"]["read"] == 4
    checked = json.loads(tdcur("validate", path, "--format", "json").stdout)
    assert [problem["code"] for problem in checked["problems"] if problem["code"] < "TDC1"] == codes


@verbs
def test_a_folder_is_read_by_content(verb: str, tmp_path: Path) -> None:
    """An object without an ending is read; what is left out is counted on standard error and in JSON."""
    files = {"a.json": PAYLOAD, "part-00000": PAYLOAD, "_SUCCESS": "", "Thumbs.db": "x", ".x.crc": "y"}
    for name, data in files.items():
        (tmp_path / name).write_text(data)
    result = tdcur(verb, tmp_path)
    note = "TDC019 info 3 files left out: 1 hidden (.x.crc), 2 without events (Thumbs.db, _SUCCESS)"
    assert result.returncode == 0
    assert f"{tmp_path} {note}" in (result.stdout if verb == "validate" else result.stderr).decode()
    assert counted(tmp_path) == counted("--jobs", "2", tmp_path) == (0, 2, ["TDC019"])


@pytest.mark.parametrize(
    ("name", "what"),
    [("01_comment_label.json", "a comment"), ("21_html.json", "HTML")],
)
def test_what_is_not_read_is_named(name: str, what: str) -> None:
    """From a file, a pipe, and compressed; with a hint only where following it helps."""
    data = (INPUTS / name).read_bytes()
    for result in (
        tdcur("count", INPUTS / name),
        tdcur("count", stdin=data),
        tdcur("count", stdin=gzip.compress(data)),
    ):
        assert result.returncode == 1
        assert what in result.stderr.decode()
        assert (b"hint: " in result.stderr) == (what == "a comment")
        assert b"tr '" not in result.stderr
