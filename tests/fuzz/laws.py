"""What holds for every input, whatever it contains."""

import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from xml.etree import ElementTree as ET

from pyarrow import parquet

from tests.fuzz.process import Commands, Result

CODES: Final = {
    "validate": {0, 1, 6},
    "count": {0, 1, 6},
    "parse": {0, 1, 6},
    "send": {0, 1, 2, 3, 6},
    "reconcile": {0, 1, 6},
}
"""Exit codes that a command may have for a data file that exists."""

COMPRESSED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")

SEND: Final = ("send", "--dry-run", "--site", "us01", "--database", "abc", "--table", "abc", "--format", "json")


@dataclass(frozen=True, slots=True)
class Broken:
    """A law that an input breaks, and the method of the checker that found it."""

    method: str
    law: str
    detail: str

    @property
    def kind(self) -> str:
        """What failures of the same cause have in common."""
        return f"{self.law}: {re.sub(r'[0-9]+', 'N', self.detail)[:150]}"


class BrokenError(Exception):
    def __init__(self, law: str, detail: str) -> None:
        super().__init__(law, detail)
        self.law = law
        self.detail = detail


class Checker:
    """Checks an input in a folder of its own."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._folder = commands.folder
        self.runs = 0

    def check(self, name: str, data: bytes, seed: str) -> list[Broken]:
        """Return the laws that the input breaks: those of the numbers, and of two other methods."""
        others = ["_splits", "_stdin", "_gzip", "_again", "_formats", "_others"]
        methods = ["_numbers_agree", *Random(seed).sample(others, 2)]
        return [broken for method in methods for broken in self.check_one(method, name, data, seed)]

    def check_one(self, method: str, name: str, data: bytes, seed: str) -> list[Broken]:
        """Return the law of this method that the input breaks, if any."""
        for old in self._folder.iterdir():
            old.unlink()
        (self._folder / name).write_bytes(data)
        try:
            getattr(self, method)(name, data, Random(f"{seed}-{method}"))
        except BrokenError as error:
            return [Broken(method, error.law, error.detail)]
        return []

    def _run(self, *arguments: str, stdin: bytes = b"", split: int = 0) -> Result:
        self.runs += 1
        result = self._commands.run(*arguments, stdin=stdin, split=split)
        if "Traceback" in result.err or result.code == 70 or "internal error" in result.err:
            lines = [line.strip("│ ") for line in result.err.splitlines() if "rror" in line]
            raise BrokenError("no traceback, no exit code 70", f"{arguments[0]}: {lines[:1] or result.code}")
        if result.code is None:
            raise BrokenError("ends in time", " ".join(arguments))
        if result.code not in CODES[arguments[0]]:
            raise BrokenError("documented exit code", f"{' '.join(arguments)}: {result.code}: {result.err[-200:]}")
        if result.code and arguments[0] != "count" and not result.err and not result.out:
            raise BrokenError("tells why", f"{arguments[0]}: exit code {result.code} without a word")
        return result

    def _json(self, *arguments: str, **options: Any) -> dict[str, Any]:
        result = self._run(*arguments, **options)
        try:
            document: dict[str, Any] = json.loads(result.out)
        except ValueError as error:
            raise BrokenError("JSON output parses", f"{' '.join(arguments)}: {error}") from None
        if document["exit_code"] != result.code:
            raise BrokenError("JSON has the exit code", f"{arguments[0]}: {document['exit_code']}, {result.code}")
        return document

    def _parse(self, *arguments: str, to: str = "jsonl", **options: Any) -> tuple[Result, bytes, dict[str, Any]]:
        """Run `parse`, and return what it wrote and its summary."""
        out, summary = self._folder / f"out.{to}", self._folder / "summary.json"
        for each in (out, summary):
            each.unlink(missing_ok=True)
        command = ["parse", *arguments, "--to", to, "-o", out.name, "--summary", summary.name]
        result = self._run(*command, **options)
        written = out.read_bytes() if out.exists() else b""
        return result, written, json.loads(summary.read_bytes())["summary"] if summary.exists() else {}

    def _numbers_agree(self, name: str, _data: bytes, _draw: Random) -> None:
        """The balance holds; `count`, `parse` and `validate` read the same events."""
        counted = self._json("count", name, "--format", "json")["summary"]
        _, written, parsed = self._parse(name)
        validated = self._json("validate", name, "--format", "json")["summary"]
        if not counted or not parsed or not validated:
            if counted or parsed or validated:
                shown = [bool(each) for each in (counted, parsed, validated)]
                raise BrokenError("all commands read it, or none", f"count, parse, validate: {shown}")
            return
        for command, numbers, out in (("count", counted, "total"), ("parse", parsed, "written")):
            used = sum(numbers[each] for each in (out, "duplicates", "filtered", "events_rejected", "lost"))
            if numbers["events_read"] != used:
                raise BrokenError("balance", f"{command}: {numbers['events_read']} events read, {used} accounted for")
        for field in ("rows_rejected", "events_read", "events_rejected", "lost"):
            if counted[field] != parsed[field]:
                raise BrokenError("count = parse", f"{field}: {counted[field]}, {parsed[field]}")
        if counted["total"] != parsed["written"]:
            raise BrokenError("count = parse", f"events: {counted['total']}, {parsed['written']}")
        if written.count(b"\n") != parsed["written"]:
            raise BrokenError("a line for each event", f"{len(written.splitlines())}, {parsed['written']}")
        read, checked = counted["events_read"] - counted["lost"], validated["events"]
        # A truncated object with `events` and other fields is a row to `count`, and a payload that is not JSON to
        # `validate`: only of cells are the complete events used.
        is_payload = counted["lost"] and not {"TDC002", "TDC003"}.isdisjoint(validated["by_code"])
        if checked != read and not (is_payload and checked < read):
            raise BrokenError("count = validate", f"events: {read}, {checked}")

    def _splits(self, name: str, _data: bytes, draw: Random) -> None:
        split = draw.choice([16, 64, 300, 2000])
        for command in (
            ("count", name, "--format", "json", "--by", "event_type,day"),
            ("validate", name, "--format", "json"),
        ):
            one, two = (self._json(*command, "--format", "json", "--jobs", jobs, split=split) for jobs in ("1", "2"))
            _compare(f"{command[0]}: jobs 1 = jobs 2", one, two)
        one_, two_ = (self._parse(name, "--jobs", jobs, split=split)[1:] for jobs in ("1", "2"))
        _compare("parse: jobs 1 = jobs 2", one_[1], two_[1])
        if one_[0] != two_[0]:
            raise BrokenError("parse: jobs 1 = jobs 2", "the events differ")

    def _stdin(self, name: str, data: bytes, _draw: Random) -> None:
        for command in ("count", "validate"):
            file, stdin = (self._json(command, path, "--format", "json", stdin=data) for path in (name, "-"))
            _compare(f"{command}: file = stdin", file, stdin, stdin=name)
        if self._parse(name)[1] != self._parse("-", stdin=data)[1]:
            raise BrokenError("parse: file = stdin", "the events differ")

    def _gzip(self, name: str, data: bytes, _draw: Random) -> None:
        """Compression is detected by content: the name stays."""
        if data.startswith(COMPRESSED):
            return

        def run() -> list[Any]:
            return [
                *(self._json(each, name, "--format", "json") for each in ("count", "validate")),
                self._parse(name)[1],
            ]

        plain = run()
        (self._folder / name).write_bytes(gzip.compress(data, 1))
        packed = run()
        for command, one, two in zip(("count", "validate"), plain, packed, strict=False):
            _compare(f"{command}: file = gzip", one, two)
        if plain[2] != packed[2]:
            raise BrokenError("parse: file = gzip", "the events differ")

    def _again(self, name: str, _data: bytes, draw: Random) -> None:
        """The output of `parse`, parsed again, stays the same."""
        form, names = draw.choice(["jsonl", "csv", "tsv", "parquet"]), draw.choice(["short", "streaming", "dotted"])
        options = ["--names", names, *(["--nested", draw.choice(["json", "object"])] if form == "jsonl" else [])]
        first = self._folder / f"first.{form}"
        result, written, numbers = self._parse(name, *options, to=form)
        if not numbers or not numbers["written"]:
            return
        if form == "parquet":  # is not read
            if parquet.read_metadata(io.BytesIO(written)).num_rows != numbers["written"]:
                raise BrokenError("a row for each event", "parquet")
            return
        first.write_bytes(written)
        again, rewritten, numbers_again = self._parse(first.name, *options, to=form)
        law = f"parse of parse: {form}, {' '.join(options)}"
        if again.code:
            raise BrokenError(law, f"exit code {again.code}: {again.err[-300:]}")
        if numbers["written"] != numbers_again["written"]:
            raise BrokenError(law, f"{numbers['written']} events, then {numbers_again['written']}")
        if names != "short":
            # A field that is neither in `user` nor in `properties` comes back as a property, and then stays one.
            result, written = again, rewritten
            first.write_bytes(written)
            _, rewritten, _ = self._parse(first.name, *options, to=form)
        if written != rewritten and "not keep" not in result.err:
            raise BrokenError(law, "the events differ")

    def _formats(self, name: str, _data: bytes, draw: Random) -> None:
        for form in draw.sample(["text", "sarif", "junit", "github", "jsonl"], 3):
            result = self._run("validate", name, "--format", form)
            try:
                if form == "sarif":
                    json.loads(result.out)
                elif form == "junit" and result.out:
                    ET.fromstring(result.out)  # noqa: S314 -- our own
                elif form == "jsonl":
                    for line in result.out.splitlines():
                        json.loads(line)
            except (ValueError, ET.ParseError) as error:
                raise BrokenError("output parses", f"validate --format {form}: {error}") from None
        self._run("count", name, "--by", draw.choice(["day,event_type", "a", "user_id", "properties.a", "source"]))
        self._run("parse", name, "--dedupe", "--mask", "drop", "--rejects", "rejects.jsonl", "-o", "masked.jsonl")

    def _others(self, name: str, _data: bytes, draw: Random) -> None:
        """`send` reads what `parse` reads; a file agrees with itself."""
        sent = self._json(*SEND, name, *draw.choice([[], ["--no-check"]]))
        if sent["summary"] and not sent["balanced"]:
            raise BrokenError("balance", "send")
        summary = self._json("reconcile", "--sent", name, "--ingested", name, "--format", "json")["summary"]
        # Only of ingested rows are truncated cells read up to where they are cut off.
        readable = self._json("count", name, "--format", "json")["summary"].get("problems") == 0
        if readable and summary and (summary["missing"] or summary["unexpected"] or summary["changed"]):
            shown = {key: summary[key] for key in ("missing", "unexpected", "changed")}
            raise BrokenError("a file agrees with itself", f"reconcile: {shown}")


_STDIN: Final = "<stdin>"


def _compare(law: str, one: dict[str, Any], two: dict[str, Any], *, stdin: str = "") -> None:
    """Compare two documents; with `stdin`, the second is about standard input, and the first about a file so named."""
    first, second = list(_lines(one)), list(_lines(two))
    if stdin:
        second = [line.replace(_STDIN, stdin) for line in second]
    for left, right in zip(first, second, strict=False):
        if left != right:
            raise BrokenError(law, f"{left} | {right}")
    if len(first) != len(second):
        raise BrokenError(law, "one has more problems")


def _lines(value: Any, path: str = "") -> Iterator[str]:
    """Flatten a document into lines, without what differs from run to run."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key != "seconds":
                yield from _lines(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from _lines(each, f"{path}[]")
    else:
        yield f"{path}={value!r}"
