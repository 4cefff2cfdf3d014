"""The benchmarks: that they run, and that what they measure and compare is so. Their figures are for no test."""

import json
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000
PEERS_OF_COUNT = {"DuckDB", "Polars", "chDB", "jq"}
PEERS_OF_PARSE = {"parse-rows-csv": PEERS_OF_COUNT, "parse-rows-jsonl": {"jq"}}
PEERS_OF_VALIDATE = {
    "validate-clean": {"jsonschema-rs", "check-jsonschema"},
    "validate-bad": {"tdcur, clean input", "jsonschema-rs"},
}
PEERS_OF_SEND = {"send-curl": {"curl", "hey"}, "send-latency": {"curl", "ideal"}, "send-checked": {"curl"}}


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the benchmarks, which run from the repository root and are not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: import_module(f"tests.benchmarks.{name}")


def test_every_case_runs_on_a_tiny_corpus_and_all_answers_are_equal(tmp_path: Path) -> None:
    """All cases, with whichever peers are installed: `tdcur` takes part, nobody disagrees, and nothing is left out."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--events", "250", "--runs", "1", "--json", str(report)]
    done = subprocess.run(
        [*command, "--keep", str(tmp_path / "kept")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = json.loads(report.read_text())["cases"]
    peers = {
        **dict.fromkeys(("count-payloads", "count-rows-csv"), PEERS_OF_COUNT),
        **PEERS_OF_PARSE,
        **PEERS_OF_VALIDATE,
        **PEERS_OF_SEND,
    }
    assert {case["name"] for case in cases} == peers.keys()
    for case in cases:
        assert f"{case['name']}: " in done.stdout
        assert case["agree"]
        assert not case["failed"]
        names = [contender["name"] for contender in case["contenders"]]
        assert names[0] == "tdcur"
        answer = case["contenders"][0]["answer"]
        assert {*names, *case["missing"]} == {"tdcur", *peers[case["name"]]}
        if case["name"] in PEERS_OF_SEND:
            assert answer == {"some 200": True, "others": 0}
        elif case["name"] in PEERS_OF_PARSE:
            assert answer["lines"] == 250
        elif case["name"] in PEERS_OF_VALIDATE:
            assert answer["events"] == 250
            assert (answer["invalid"] > 0) is (case["name"] == "validate-bad")
        else:
            assert sum(answer.values()) == 250
        assert all(len(contender["wall"]) == 1 and contender["median"] > 0 for contender in case["contenders"])


def test_an_unknown_case_is_refused_with_the_names_there_are() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "count-payload"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such case: count-payload (there are: count-payloads, count-rows-csv, parse-rows-csv, " in done.stderr


def test_processor_time_and_peak_memory_are_those_of_descendants_too(benchmarks: Any, tmp_path: Path) -> None:
    """A shell that only starts the one who works is charged with that work."""
    works = "x = bytearray(300_000_000); import time\nwhile time.process_time() < 0.2: pass"
    command = ["sh", "-c", f"'{sys.executable}' -S -c '{works}'; true"]
    run = benchmarks("measure").run(command, stdout=tmp_path / "out", folder=tmp_path)
    assert run.wall > 0.2
    assert run.cpu > 0.2
    # Linux lets a child begin with the peak of the process that started it: more than that is its own.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 300 * MEGABYTE < run.peak < max(ours, 400 * MEGABYTE) + MEGABYTE


@pytest.mark.parametrize(
    ("program", "message"),
    [("import sys; sys.exit('no disk')", "exit code 1: no disk"), ("import os; os.kill(os.getpid(), 9)", "SIGKILL")],
)
def test_a_process_that_fails_is_no_measurement(benchmarks: Any, tmp_path: Path, program: str, message: str) -> None:
    measure = benchmarks("measure")
    with pytest.raises(measure.FailedError, match=message):
        measure.run([sys.executable, "-S", "-c", program], stdout=tmp_path / "out", folder=tmp_path)


def test_contenders_that_disagree_or_fail_are_named(benchmarks: Any, tmp_path: Path) -> None:
    """Different counts are a defect of the benchmark, shown by name; who fails is out, and the others go on."""
    case, peers, report = benchmarks("case"), benchmarks("peers"), benchmarks("report")

    def contender(name: str, program: str) -> Any:
        return case.Contender(
            peer=peers.TDCUR if name == "tdcur" else peers.Peer(name, lambda: "1"),
            command=lambda: (sys.executable, "-S", "-c", program),
            answer=lambda stdout: json.loads(stdout.read_bytes()),
        )

    rivals = case.Case(
        name="rivals",
        title="a case",
        shape="payloads",
        contenders=(
            contender("tdcur", 'print("""{"Open": 2, "Click": 1}""")'),
            contender("wrong", 'print("""{"Open": 3, "Click": 1}""")'),
            contender("mute", "print()"),
            contender("broken", "raise SystemExit(3)"),
            case.Contender(peer=peers.Peer("absent", lambda: None), command=tuple, answer=dict),
        ),
    )
    corpus = benchmarks("corpus").Corpus(root=tmp_path, events=1, seed=0)
    result = benchmarks("race").race(rivals, corpus, runs=1)
    assert [entry.name for entry in result.entries] == ["tdcur", "wrong"]
    assert result.disagreements == ["Open: tdcur 2, wrong 3"]
    assert result.failed.keys() == {"mute", "broken"}
    text = report.text(result)
    assert "DIFFERENT: Open: tdcur 2, wrong 3" in text
    assert "FAILED: broken: exit code 3" in text
    assert "not installed, left out: absent" in text
