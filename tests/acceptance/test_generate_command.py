"""`tdcur generate` as a person or a script runs it."""

import json
import resource
from pathlib import Path

import pytest

from tests.command import tdcur


def test_data_and_talk_go_separate_ways() -> None:
    """Standard output is data alone; one line on standard error says what was made."""
    ended = tdcur("generate", "--events", "250", "--seed", "7")
    assert ended.returncode == 0
    assert [len(json.loads(line)["events"]) for line in ended.stdout.splitlines()] == [100, 100, 50]
    said = ended.stderr.decode()
    assert said.count("\n") == 1
    assert "250 events in 3 batches" in said
    assert f"({len(ended.stdout):,} bytes)" in said
    assert "standard output" in said
    assert "seed 7" in said
    assert tdcur("generate", "--events", "1", "--quiet").stderr == b""


def test_a_file_holds_what_standard_output_would(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    ended = tdcur("generate", "--events", "120", "-o", str(path))
    assert ended.stdout == b""
    assert str(path) in ended.stderr.decode()
    assert path.read_bytes() == tdcur("generate", "--events", "120").stdout


@pytest.mark.parametrize("shape", ["payloads", "rows-csv", "rows-jsonl"])
def test_what_is_generated_is_counted(shape: str) -> None:
    made = tdcur("generate", "--events", "300", "--shape", shape).stdout
    counted = tdcur("count", "--format", "json", stdin=made)
    assert counted.returncode == 0
    assert json.loads(counted.stdout)["summary"]["total"] == 300


def test_an_export_has_the_events_of_the_payloads(tmp_path: Path) -> None:
    """Of the types that the export has, in its layout; the same bytes each time."""
    arguments = ("generate", "--events", "3000", "--type", "!*.newsfeedcard.*")
    made = tdcur(*arguments, "-q").stdout
    files = []
    for name in ("one", "two"):
        ended = tdcur(*arguments, "--shape", "avro-export", "-o", tmp_path / name)
        assert ended.returncode == 0
        assert b"3,000 events" in ended.stderr
        found = sorted((tmp_path / name).rglob("*.avro"))
        files.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in found})
    assert files[0] == files[1]
    assert all("/event_type=users." in path or "/event_type=agentconsole." in path for path in files[0])
    assert all("/date=2026-07-01-00/" in path for path in files[0])
    counts = [
        tdcur("count", "--unique", "--format", "csv", *at, stdin=stdin)
        for at, stdin in (((), made), ((tmp_path / "one",), b""))
    ]
    assert counts[0].stdout == counts[1].stdout != b""
    assert tdcur("validate", tmp_path / "one").returncode == 0


def test_an_export_needs_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for arguments in (
        (),
        ("-o", tmp_path),
        ("-o", tmp_path / "file"),
        ("-o", tmp_path / "x", "--type", "*.newsfeedcard.*"),
    ):
        ended = tdcur("generate", "--shape", "avro-export", *arguments)
        assert (ended.returncode, ended.stdout) == (2, b""), arguments


def test_what_is_generated_is_valid() -> None:
    made = tdcur("generate").stdout
    ended = tdcur("validate", "--format", "json", stdin=made)
    assert ended.returncode == 0
    assert all(problem["severity"] != "error" for problem in json.loads(ended.stdout)["problems"])


def test_start_is_an_iso_time() -> None:
    """The first event happens when asked for; a time without a zone is UTC."""
    runs = [tdcur("generate", "-n", "50", "-q", "--start", start) for start in ("2026-08-01", "2026-08-01T02:00+02:00")]
    assert runs[0].stdout == runs[1].stdout
    times = [event["time"] for event in json.loads(runs[0].stdout)["events"]]
    assert max(times) in range(1_785_542_400, 1_785_542_400 + 60)


WRONG = [("--start", "yesterday"), ("--events", "-1"), ("--type", "nothing"), ("--shape", "x"), ("-o", "/missing/out")]


@pytest.mark.parametrize(("option", "value"), WRONG)
def test_wrong_options_exit_2_and_wrong_outputs_6(option: str, value: str) -> None:
    ended = tdcur("generate", option, value)
    assert ended.returncode == (6 if option == "-o" else 2)
    assert ended.stdout == b""
    said = ended.stderr.decode()
    assert ("cannot write /missing/out: No such file or directory" if option == "-o" else option) in said
    assert "Traceback" not in said


def test_memory_does_not_grow_with_the_run() -> None:
    """A run of 40,000 events stays below 100 MB: what it keeps is people and messages, not events."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    ended = tdcur("generate", "--events", "40000", "-o", "/dev/null")
    assert ended.returncode == 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < max(before, 100_000) + 1


def test_several_types_in_one_option() -> None:
    """Separated by commas, as in the other commands."""
    made = tdcur("generate", "--events", "20", "--type", "*.Purchase, *.email.Open")
    types = {event["event_type"] for line in made.stdout.splitlines() for event in json.loads(line)["events"]}
    assert types == {"users.behaviors.Purchase", "users.messages.email.Open"}
