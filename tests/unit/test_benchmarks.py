"""The benchmarks: that they run, and that what they measure and compare is so. Their figures are for no test."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import documents
from tests.benchmarks.case import TDCUR, Case, Contender, Peer
from tests.benchmarks.measure import FailedError, run
from tests.benchmarks.race import race
from tests.benchmarks.report import text

MEGABYTE = 1_000_000
DATABASES = {"DuckDB", "Polars", "chDB"}
PEERS = {
    "count-payloads": DATABASES | {"jq"},
    "count-rows-csv": DATABASES | {"jq"},
    "count-small-files": DATABASES | {"jq"},
    "count-groups-csv": DATABASES | {"jq"},
    "count-groups-table": DATABASES | {"jq"},
    "reconcile": {"DuckDB", "Polars"},
    "parse-rows-csv": DATABASES | {"jq"},
    "parse-rows-jsonl": {"jq"},
    "validate-clean": {"jsonschema-rs", "check-jsonschema"},
    "validate-bad": {"tdcur, clean input", "jsonschema-rs"},
    "start-help": {"import typer"},
    "start-count": {"import typer"},
    "send-curl": {"curl", "hey"},
    "send-latency": {"curl", "ideal"},
    "send-20ms": {"curl"},
    "send-checked": {"curl"},
    "serve-page": {"page closed"},
}


def benchmarks(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)


def test_every_case_runs_on_a_tiny_corpus_and_all_answers_are_equal(tmp_path: Path) -> None:
    """All cases, with whichever peers are installed: `tdcur` takes part, nobody disagrees, and nothing is left out."""
    report = tmp_path / "report.json"
    done = benchmarks("--events", 250, "--runs", 1, "--json", report, "--keep", tmp_path / "kept")
    assert done.returncode == 0, done.stdout + done.stderr
    cases = json.loads(report.read_text())["cases"]
    assert {case["name"] for case in cases} == PEERS.keys()
    for case in cases:
        assert f"{case['name']}: " in done.stdout
        assert case["agree"]
        assert not case["failed"]
        names = [contender["name"] for contender in case["contenders"]]
        assert names[0] == "tdcur"
        answer = case["contenders"][0]["answer"]
        assert {*names, *case["missing"]} == {"tdcur", *PEERS[case["name"]]}
        match case["name"].partition("-")[0]:
            case "send":
                assert answer == {"some 200": True, "others": 0}
            case "reconcile":
                assert answer == {"sent": 250, "ingested": 150, "missing": 100, "unexpected": 0}
            case "serve":
                assert answer == {"200": 3}
            case "start":
                assert answer == {}
            case _ if "groups" in case["name"]:
                assert answer == {"groups": 250, "events": 250}
            case "parse":
                assert answer["lines"] == 250
            case "validate":
                assert answer["events"] == 250
                assert (answer["invalid"] > 0) is (case["name"] == "validate-bad")
            case _:
                assert sum(answer.values()) == 250
        assert all(len(contender["wall"]) == 1 and contender["median"] > 0 for contender in case["contenders"])


def test_an_unknown_case_is_refused_with_the_names_there_are() -> None:
    done = benchmarks("count-payload")
    assert done.returncode == 2
    assert "no such case: count-payload (there are: count-payloads, count-rows-csv, count-small-files, " in done.stderr


def test_processor_time_and_peak_memory_are_those_of_descendants_too(tmp_path: Path) -> None:
    """A shell that only starts the one who works is charged with that work."""
    works = "x = bytearray(300_000_000); import time\nwhile time.process_time() < 0.2: pass"
    command = ["sh", "-c", f"'{sys.executable}' -S -c '{works}'; true"]
    took = run(command, stdout=tmp_path / "out", folder=tmp_path)
    assert took.wall > 0.2
    assert took.cpu > 0.2
    # Linux lets a child begin with the peak of the process that started it: more than that is its own.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 300 * MEGABYTE < took.peak < max(ours, 400 * MEGABYTE) + MEGABYTE


@pytest.mark.parametrize(
    ("program", "message"),
    [("import sys; sys.exit('no disk')", "exit code 1: no disk"), ("import os; os.kill(os.getpid(), 9)", "SIGKILL")],
)
def test_a_process_that_fails_is_no_measurement(tmp_path: Path, program: str, message: str) -> None:
    with pytest.raises(FailedError, match=message):
        run([sys.executable, "-S", "-c", program], stdout=tmp_path / "out", folder=tmp_path)


def contender(name: str, program: str) -> Contender:
    return Contender(
        peer=TDCUR if name == "tdcur" else Peer(name, lambda: "1"),
        command=lambda: (sys.executable, "-S", "-c", program),
        answer=lambda stdout: dict(json.loads(stdout.read_bytes())),
    )


def test_contenders_that_disagree_or_fail_are_named(tmp_path: Path) -> None:
    """Different counts are a defect of the benchmark, shown by name; who fails is out, and the others go on."""
    rivals = Case(
        name="rivals",
        title="a case",
        contenders=(
            contender("tdcur", 'print("""{"Open": 2, "Click": 1}""")'),
            contender("wrong", 'print("""{"Open": 3, "Click": 1}""")'),
            contender("mute", "print()"),
            contender("broken", "raise SystemExit(3)"),
            Contender(peer=Peer("absent", lambda: None), command=tuple, answer=lambda _: {}),
        ),
    )
    (source := tmp_path / "source").touch()
    result = race(rivals, source, events=1, runs=1)
    assert [entry["name"] for entry in result["contenders"]] == ["tdcur", "wrong"]
    assert result["disagreements"] == ["Open: tdcur 2, wrong 3"]
    assert result["failed"].keys() == {"mute", "broken"}
    shown = text(result)
    assert "DIFFERENT: Open: tdcur 2, wrong 3" in shown
    assert "FAILED: broken: exit code 3" in shown
    assert "not installed, left out: absent" in shown


def report(**reached: float | None) -> dict[str, Any]:
    goals = [
        {"goal": "", "times": 2, "must": must, "peers": peers, "than": [peers], "reached": reached.get(peers)}
        for peers, must in (("jq", 1.5), ("chDB", None))
    ]
    case = {
        "name": "count-rows",
        "title": "types of rows",
        "input": {"shape": "rows", "bytes": 1, "events": 300_000},
        "contenders": [
            {"name": "tdcur", "median": 0.5, "peak": 151_000_000},
            {"name": "jq", "median": 0.8, "peak": 1},
            {"name": "chDB", "median": 0.9, "peak": 1},
        ],
        "max_memory": 150_000_000,
        "peak_floor": 20_000_000,
        "goals": goals,
    }
    machine = {"python": "3.11.7", "platform": "Linux-6.1-x86_64", "processor": "A CPU", "cpus": 2}
    return {"tdcur": "0.1.0", "machine": machine, "runs": 5, "cases": [case]}


MACHINE = "tdcur 0.1.0, 2 cores (A CPU), Linux, Python 3.11.7; medians of 5 runs."


def test_the_table_says_for_each_case_what_is_reached() -> None:
    *head, row = documents.full_table(report(jq=1.6)).splitlines()
    assert head == [
        MACHINE,
        "",
        "| work | tdcur | best other tool | times as fast | goal | must | memory |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    assert row.strip("| ").split(" | ") == [
        "`count`: types of rows, 300,000 events",
        "0.50 s",
        "jq, 0.80 s",
        "1.60",
        "2 x jq: not reached (1.60); 2 x chDB: not measured",
        "1.5 x jq: reached (1.60)",
        "151 MB: over 150",
    ]


def test_documents_get_the_table_between_their_markers(tmp_path: Path) -> None:
    readme, page = tmp_path / "README.md", tmp_path / "docs/how-it-works/speed.md"
    page.parent.mkdir(parents=True)
    for document in (readme, page):
        document.write_text("before\n<!-- benchmarks -->\nold\n<!-- end of benchmarks -->\nafter\n")
    for _ in range(2):
        documents.update(report(jq=1.6, chDB=1.8), tmp_path)
    assert readme.read_text().splitlines() == [
        "before",
        "<!-- benchmarks -->",
        "",
        MACHINE,
        "",
        "| work | speed |",
        "| --- | --- |",
        "| `count`: types of rows | 1.6 x jq |",
        "",
        "<!-- end of benchmarks -->",
        "after",
    ]
    assert "2 x chDB: not reached (1.80)" in page.read_text()


def test_the_documents_of_the_project_have_their_place_for_the_table() -> None:
    for document in ("README.md", "docs/how-it-works/speed.md"):
        _, begin, rest = (
            (Path(__file__).parents[2] / document).read_text(encoding="utf-8").partition("<!-- benchmarks -->\n")
        )
        assert begin
        assert "<!-- end of benchmarks -->\n" in rest


def test_only_a_run_of_all_cases_goes_into_the_documents() -> None:
    done = benchmarks("--update-documents", "count-payloads")
    assert done.returncode == 2
    assert "name none" in done.stderr
