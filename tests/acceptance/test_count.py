"""`tdcur count` as a user runs it."""

import json
import os
import pty
import re
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from tests.command import PLAIN, TDCUR, tdcur_text

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = ROOT / "sample_data"
MANIFEST: Final[dict[str, Any]] = json.loads((SAMPLES / "manifest.json").read_text(encoding="utf-8"))
PURCHASES: Final = str(SAMPLES / "payloads" / "purchases.json")


def tdcur(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return tdcur_text("count", *arguments, stdin=stdin, env=PLAIN | variables)


def counts(*arguments: str) -> dict[str, int]:
    """The counts by the first dimension, from JSON."""
    ended = tdcur(*arguments, "--format", "json")
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    return {record[document["summary"]["by"][0]]: record["count"] for record in document["counts"]}


def test_payloads_and_rows() -> None:
    """Payload files in any layout, and rows in every format: their counts add up; their ids are the same."""
    paths = [str(SAMPLES / path) for path in ("payloads", "rows/rows.csv", "rows/rows.jsonl")]
    once = Counter(MANIFEST["total"]["event_types"])
    assert [counts(path) for path in paths] == [once] * 3
    assert counts(*paths) == {name: 3 * number for name, number in once.items()}
    assert counts(*paths, "--dedupe") == once
    assert "260 duplicates" in tdcur(*paths, "--dedupe").stderr


def test_standard_input() -> None:
    ended = tdcur("--by", "source", "--format", "tsv", stdin='{"event_type":"a","time":1}')
    assert ended.stdout.splitlines() == [
        "source\tcount\tshare\tfirst\tlast",
        "<stdin>\t1\t1.0\t1970-01-01T00:00:01Z\t1970-01-01T00:00:01Z",
    ]


@pytest.mark.parametrize(("form", "missing"), [("csv", ",2026-07-01,"), ("tsv", "\\N\t2026-07-01\t")])
def test_a_missing_value(form: str, missing: str) -> None:
    r"""It is empty, and `\N` in TSV as of `parse`."""
    ended = tdcur(PURCHASES, "--by", "campaign_name,day,hour", "--by", "event_type", "--format", form)
    names, first, *_ = ended.stdout.splitlines()
    separator = "," if form == "csv" else "\t"
    fields = ["campaign_name", "day", "hour", "event_type", "count", "share", "first", "last"]
    assert names.split(separator) == fields
    assert first.startswith(missing)


def test_times_on_the_command_line() -> None:
    """A value may begin with a dash; all events are older than a minute."""
    ended = tdcur(PURCHASES, "--since", "-1m", "--format", "json")
    assert json.loads(ended.stdout)["summary"]["filtered"] == 10
    assert counts(PURCHASES, "--since", "2026-07-01T13:04:48Z", "--until", "2026-07-02") == {
        "users.behaviors.Purchase": 3
    }
    assert counts(PURCHASES, "--since", "2026-07-01T15:04:48", "--timezone", "Europe/Berlin", "--by", "hour") == {
        "2026-07-01T15:00": 3
    }


def test_output_as_expectation(tmp_path: Path) -> None:
    """Other counts exit with 1 and name the difference on standard error."""
    file = tmp_path / "counts.csv"
    file.write_text(tdcur(PURCHASES, "--format", "csv").stdout, encoding="utf-8")
    same = tdcur(PURCHASES, "--expect", str(file), "--compare", str(file), "--fail-on-drop", "1%", "--quiet")
    assert same.returncode == 0
    other = (PURCHASES, "--type", "!*.Purchase", "--quiet")
    less = tdcur(*other, "--expect", str(file), "--format", "csv")
    assert (less.returncode, less.stdout.count("\n")) == (1, 2)
    assert "1 of 2 groups do not match" in less.stderr
    assert "users.behaviors.Purchase" in less.stderr
    drop = tdcur(*other, "--compare", str(file), "--fail-on-drop", "30%", "--format", "json")
    assert drop.returncode == json.loads(drop.stdout)["exit_code"] == 1
    assert json.loads(drop.stdout)["comparison"]["dropped"] == 1


def test_a_comparison_of_what_could_not_be_read(tmp_path: Path) -> None:
    """The last line says that it is incomplete, also where the counts match."""
    file, rows = tmp_path / "counts.json", tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}', encoding="utf-8")
    rows.write_text('{"event_type":"a"}\n{"events":5}\n', encoding="utf-8")
    ended = tdcur(str(rows), "--expect", str(file), "--compare", str(file))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "what could not be read is not counted; the comparison is incomplete"
    assert not json.loads(tdcur(str(rows), "--format", "json").stdout)["summary"]["complete"]


def test_problems_weigh_more_than_differences(tmp_path: Path) -> None:
    """An unreadable input is exit code 6, as an unreadable file of counts is."""
    file, torn = tmp_path / "counts.json", tmp_path / "torn.json.gz"
    file.write_text('{"users.behaviors.Purchase": 0}', encoding="utf-8")
    torn.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0")
    assert tdcur(PURCHASES, str(torn), "--expect", str(file)).returncode == 6
    ended = tdcur(PURCHASES, "--expect", str(tmp_path / "none.json"), "--format", "json")
    assert ended.returncode == json.loads(ended.stdout)["exit_code"] == 6


@pytest.mark.parametrize(
    "arguments",
    [
        *("--by user", "--by day,", "--timezone Mars", "--since soon", "--pivot day", "--fail-on-drop 30%"),
        *(f"--fail-on-drop 30 --compare {PURCHASES}", f"--expect {PURCHASES}"),
        *("--all-types --by day", "--top 0", "--sort size"),
    ],
)
def test_invalid_options(arguments: str) -> None:
    """Exit code 2, with nothing on standard output that a script could mistake for counts."""
    ended = tdcur(PURCHASES, *arguments.split())
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr


def test_absent_fields() -> None:
    """A name that resembles no known one is a warning."""
    said = tdcur(PURCHASES, "--by", "xyzzy")
    assert said.returncode == 0
    assert "no event has the field `xyzzy`\n" in said.stderr


def test_nothing_is_clipped_off_a_terminal() -> None:
    name = "users." + "x" * 300
    ended = tdcur(stdin=json.dumps({"event_type": name}), COLUMNS="40")
    assert name in ended.stdout


def test_a_terminal_shows_counts_over_time() -> None:
    text = on_terminal("count", str(SAMPLES / "payloads"), "--limit", "3", columns=130)
    assert "over time" in text
    assert "█" in text
    assert max(map(len, text.splitlines())) <= 130


def test_a_terminal_shows_a_thousand_groups_and_the_sum_of_the_others(tmp_path: Path) -> None:
    """Unless told otherwise: a terminal is slow. Off one, all groups are shown."""
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f'{{"event_type":"t{number}"}}\n' for number in range(1002)), encoding="utf-8")
    for options, groups, rest in (([], 1000, True), (["--limit", "1001"], 1001, True), (["--verbose"], 1002, False)):
        text = on_terminal("count", str(file), *options, columns=80)
        assert (len(re.findall(r"\bt\d+ \?", text)), " others  " in text or " other  " in text) == (groups, rest)
    assert len(re.findall(r"\bt\d+ \?", tdcur(str(file)).stdout)) == 1002


def on_terminal(*arguments: str, columns: int) -> str:
    main, side = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": side, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*TDCUR, *arguments], env=environment, **streams) as process:
        os.close(side)
        text = b""
        # Linux reports the end as an error.
        with suppress(OSError):
            while piece := os.read(main, 1 << 16):
                text += piece
        os.close(main)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[\d;]*m", "", text.decode().replace("\r\n", "\n"))


def test_several_processes_count_the_same(tmp_path: Path) -> None:
    """A file large enough to be split, with an invalid line in the middle."""
    events = [{"event_type": f"t{number % 7}", "time": number, "pad": "é" * 400} for number in range(100)]
    line = json.dumps({"events": events}, ensure_ascii=False)
    path = tmp_path / "large.jsonl"
    half = f"{line}\n" * 210
    path.write_text(f'{half}{{"events":[{{]}}\n{half}', encoding="utf-8")
    assert path.stat().st_size > 1 << 25
    one, two = (tdcur(str(path), "--jobs", jobs, "--format", "json") for jobs in ("1", "2"))
    assert one.stdout == two.stdout
    assert (one.returncode, two.returncode) == (1, 1)
    document = json.loads(two.stdout)
    assert document["summary"]["total"] == 42_000
    assert [problem["line"] for problem in document["problems"]] == [211]


@pytest.mark.parametrize("verb", ["count", "parse"])
@pytest.mark.parametrize(
    ("arguments", "warning"),
    [
        (["users.behaviors.Purchas"], "users.behaviors.purchas; did you mean users.behaviors.Purchase?"),
        (["*.emial.*"], "*.emial.*; did you mean *.email.*?"),
        (["*.email.*"], "*.email.*"),
        (["xyzzy", "--since", "-1m"], "xyzzy"),
        (["*.Purchase", "--since", "-1m"], ""),
        (["*.Purchase"], ""),
        (["!*.Custom*"], ""),
    ],
)
def test_types_that_match_nothing(verb: str, arguments: list[str], warning: str) -> None:
    """The nearest types are suggested; it is no warning if the period leaves the events out."""
    ended = tdcur_text(verb, PURCHASES, "--type", *arguments)
    assert ended.returncode == 0
    lines = [line for line in ended.stderr.splitlines() if "--type" in line]
    assert lines == ([f"no event matches --type {warning}"] if warning else [])


def test_types_of_a_query_that_match_nothing() -> None:
    ended = tdcur_text("sql", "count", "td://braze/currents", "--type", "users.behaviors.Purchas")
    assert "no known event type matches --type users.behaviors.purchas; did you mean" in ended.stderr
    assert tdcur_text("sql", "count", "td://braze/currents", "--type", "*.Purchase").stderr.count("\n") == 1
