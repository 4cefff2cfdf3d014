"""Every form of `tdcur validate`, as a person, a script or a CI server gets it from the shell."""

import gzip
import json
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import jsonschema_rs
import pytest
from rich.cells import cell_len

from tests.command import tdcur

LINE = re.compile(r"(\S+?):(\d+):(\d+) (TDC\d{3}) (error|warning|info) .+")
ANNOTATION = re.compile(r"::(error|warning|notice) file=(\S+?),line=(\d+),col=(\d+),title=(TDC\d{3})::.+")

Run = Callable[..., subprocess.CompletedProcess[bytes]]
Place = tuple[str, str, int, int]
"""Code, file, line, column."""


def event(number: int = 1, price: object = 9.99, **fields: object) -> dict[str, Any]:
    """An event that is as it should be, but for these fields."""
    user = {"user_id": "b-1", "external_user_id": "u-1"}
    properties = {"app_id": "a", "product_id": "商品", "price": price, "currency": "USD"}
    usual = {"event_type": "users.behaviors.Purchase", "id": f"e-{number}", "time": 1782900000, "user": user}
    return {**usual, "properties": properties, **fields}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in a folder with `good.json`, `bad.json` (minified) and `bad.json.gz` (pretty-printed)."""
    batch = {"events": [event(), event(2, time="1782900000"), event(3, user={"user_id": "b-3"}), event(4, "secret")]}
    (tmp_path / "good.json").write_text(json.dumps({"events": [event()]}), encoding="utf-8")
    (tmp_path / "bad.json").write_text(json.dumps(batch, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    (tmp_path / "bad.json.gz").write_bytes(gzip.compress(json.dumps(batch, ensure_ascii=False, indent=2).encode()))
    return partial(tdcur, cwd=tmp_path)


def places(problems: list[dict[str, Any]]) -> list[Place]:
    return [(each["code"], each["source"], each["line"], each["column"]) for each in problems]


def test_all_forms_say_the_same(run: Run) -> None:
    files = ("good.json", "bad.json", "bad.json.gz")
    said = {
        form: run("validate", "--verbose", "--format", form, *files)
        for form in ("json", "jsonl", "text", "concise", "github", "sarif", "junit")
    }
    assert {ended.returncode for ended in said.values()} == {1}
    expected = places(json.loads(said["json"].stdout)["problems"])
    codes = {code for code, *_ in expected}
    assert {"TDC113", "TDC203", "TDC301"} <= codes
    assert {source for _, source, *_ in expected} == {"bad.json", "bad.json.gz"}

    assert places([json.loads(line) for line in said["jsonl"].stdout.splitlines()]) == expected
    for form in ("text", "concise"):
        lines = [match.groups() for line in said[form].stdout.decode().splitlines() if (match := LINE.match(line))]
        assert [(code, file, int(line), int(column)) for file, line, column, code, _ in lines] == expected
    commands = [ANNOTATION.fullmatch(line) for line in said["github"].stdout.decode().splitlines()]
    assert [(match[5], match[2], int(match[3]), int(match[4])) for match in commands if match] == expected
    failed = {case.attrib["name"][:6] for case in fromstring(said["junit"].stdout).iter("testcase") if len(case)}  # noqa: S314 -- our own
    assert failed == codes
    results = json.loads(said["sarif"].stdout)["runs"][0]["results"]
    physical = [(each["ruleId"], each["locations"][0]["physicalLocation"]) for each in results]
    assert [
        (code, unquote(at["artifactLocation"]["uri"]), at["region"]["startLine"], at["region"]["startColumn"])
        for code, at in physical
    ] == expected


@pytest.mark.parametrize("file", ["bad.json", "bad.json.gz"])
def test_text_marks_the_value_itself(file: str, run: Run) -> None:
    """In one long line with wide characters before it, and in a compressed file that is pretty-printed."""
    lines = run("validate", "--select", "TDC203", file).stdout.decode().splitlines()
    assert lines[0].startswith(f"{file}:")
    before, value, _ = lines[1].partition('"secret"')
    assert lines[2].lstrip(" |") == "^" * len(value)
    assert lines[2].index("^") == cell_len(before)
    assert lines[3].lstrip() == "= at /events/3/properties/price, event 3, id e-4, users.behaviors.Purchase"


def test_json_is_as_the_published_schema_says(run: Run) -> None:
    printed = run("validate", "--schema")
    assert (printed.returncode, printed.stderr) == (0, b"")
    validator = jsonschema_rs.validator_for(json.loads(printed.stdout))
    for arguments, code in (
        (["good.json"], 0),
        (["good.json", "bad.json"], 1),
        (["bad.json", "--max-findings", "0"], 1),
        (["good.json", "--select", "E501"], 2),
        (["no-such-file.json"], 6),
    ):
        ended = run("validate", "--format", "json", *arguments)
        document = json.loads(ended.stdout)
        validator.validate(document)
        assert ended.returncode == document["exit_code"] == code, arguments


@pytest.fixture
def equal(tmp_path: Path) -> tuple[Path, Path]:
    """300 times the same mistake, with numbers that differ: in one file, and in as many files."""
    one, many = tmp_path / "one.json", tmp_path / "many"
    mistakes = [event(number, "x") for number in range(300)]
    one.write_text(json.dumps({"events": mistakes}), encoding="utf-8")
    many.mkdir()
    for number, mistake in enumerate(mistakes):
        (many / f"{number:03}.json").write_text(json.dumps({"events": [mistake]}), encoding="utf-8")
    return one, many


ONLY_TYPES = ("--select", "TDC203")
MESSAGE = "TDC203 error `properties.price` must be a number, got a string"


@pytest.mark.parametrize("environment", [{}, {"GITHUB_ACTIONS": "true", "CI": "true"}])
def test_equal_problems_are_shown_three_times(equal: tuple[Path, Path], environment: dict[str, str]) -> None:
    """And counted; in a pipe and in a CI log, lines are neither wrapped nor colored."""
    one, many = equal
    for path, places in (
        (one, [f"{one}:1:{column}" for column in (213, 439, 665)]),
        (many, [f"{many}/{name}.json:1:213" for name in ("000", "001", "002")]),
    ):
        ended = tdcur("validate", *ONLY_TYPES, "--format", "concise", str(path), env=environment)
        *lines, rest = ended.stdout.decode().splitlines()
        assert lines == [f"{place} {MESSAGE}" for place in places]
        assert rest == "… and 297 more like it (TDC203, users.behaviors.Purchase)"
        text = tdcur("validate", *ONLY_TYPES, str(path), env=environment).stdout.decode()
        assert [line for line in text.splitlines() if MESSAGE in line] == lines
        assert "… and 297 more like it\n" in text
        grouped = tdcur("validate", *ONLY_TYPES, "--format", "grouped", str(path), env=environment).stdout.decode()
        assert grouped.splitlines()[:2] == [
            "300  TDC203  error    wrong type of field in users.behaviors.Purchase",
            f"     {lines[0]}".replace(" TDC203 error", ""),
        ]


def test_all_equal_problems_are_there(equal: tuple[Path, Path]) -> None:
    """With --verbose, and in the forms for programs."""
    for path in equal:
        for form in ("text", "concise", "grouped"):
            ended = tdcur("validate", *ONLY_TYPES, "--verbose", "--format", form, str(path))
            assert ended.stdout.decode().count("must be a number") == 300
        for form in ("json", "jsonl", "github", "sarif", "junit"):
            ended = tdcur("validate", *ONLY_TYPES, "--format", form, str(path))
            assert ended.stdout.decode().count("must be a number") == 300
            assert ended.stderr == b""


def test_what_to_do_next(equal: tuple[Path, Path]) -> None:
    one, _ = equal
    for form in ("text", "concise", "grouped"):
        said = tdcur("validate", "--format", form, str(one)).stderr.decode().splitlines()
        assert said[-2:] == [
            "hint: `tdcur rules TDC203` explains the most frequent error",
            "hint: `--verbose` shows all problems",
        ]
        assert tdcur("validate", "--quiet", "--format", form, str(one)).stderr == b""
