"""What holds for every input, whatever it contains."""

import csv
import gzip
import io
import json
import re
import signal
from collections.abc import Iterator
from random import Random
from typing import Any, Final
from xml.etree import ElementTree as ET

from pyarrow import parquet

from tests.fuzz.process import Commands, Result

CODES: Final = {0, 1, 6}
"""Exit codes that a command may have for a data file that exists; `send` has others, too."""


TYPE: Final = "users.behaviors.CustomEvent"
"""Of the events in files whose path does not tell, as those of Braze's export."""


class BrokenError(Exception):
    """A law that an input breaks."""

    def __init__(self, law: str, detail: str) -> None:
        super().__init__(law, detail)
        self.law = law
        self.detail = detail
        self.method = ""  # of the checker, which found it

    @property
    def kind(self) -> str:
        """What failures of the same cause have in common."""
        return f"{self.law}: {re.sub(r'[0-9]+', 'N', self.detail)[:150]}"


def _require(holds: object, law: str, detail: object) -> None:
    if not holds:
        raise BrokenError(law, str(detail))


class Checker:
    """Checks an input in a folder of its own."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._folder = commands.folder
        self.runs = 0

    def check(self, name: str, data: bytes, seed: str) -> list[BrokenError]:
        """Return the laws that the input breaks: those of the numbers, and of two other methods."""
        others = Random(seed).sample(["_splits", "_stdin", "_gzip", "_again", "_parquet", "_formats", "_others"], 2)
        return [
            broken for method in ("_numbers_agree", *others) if (broken := self.check_one(method, name, data, seed))
        ]

    def check_one(self, method: str, name: str, data: bytes, seed: str) -> BrokenError | None:
        """Return the law of this method that the input breaks, if any."""
        for old in self._folder.iterdir():
            old.unlink()
        (self._folder / name).write_bytes(data)
        try:
            getattr(self, method)(name, data, Random(f"{seed}-{method}"))
        except BrokenError as error:
            error.method = method
            return error
        return None

    def _run(self, *arguments: str, stdin: bytes = b"", split: int = 0) -> Result:
        self.runs += 1
        result = self._commands.run(*arguments, "--event-type", TYPE, stdin=stdin, split=split)
        command, line = arguments[0], " ".join(arguments)
        errors = [line.strip("│ ") for line in result.err.splitlines() if "rror" in line]
        is_defect = "Traceback" in result.err or result.code == 70 or "internal error" in result.err
        _require(not is_defect, "no traceback, no exit code 70", f"{command}: {errors[:1] or result.code}")
        _require(result.code != -signal.SIGALRM, "ends in time", line)
        codes = CODES | {2, 3} if command == "send" else CODES
        _require(result.code in codes, "documented exit code", f"{line}: {result.code}: {result.err[-200:]}")
        says = not result.code or command == "count" or result.err or result.out
        _require(says, "tells why", f"{command}: exit code {result.code} without a word")
        return result

    def _json(self, *arguments: str, **options: Any) -> dict[str, Any]:
        result = self._run(*arguments, "--format", "json", **options)
        try:
            document: dict[str, Any] = json.loads(result.out)
        except ValueError as error:
            raise BrokenError("JSON output parses", f"{' '.join(arguments)}: {error}") from None
        code = document["exit_code"]
        _require(code == result.code, "JSON has the exit code", f"{arguments[0]}: {code}, {result.code}")
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
        document = self._json("count", name)
        counted = document["summary"]
        _, written, parsed = self._parse(name)
        validated = self._json("validate", name)
        were_read = [bool(each) for each in (counted, parsed, validated["summary"])]
        _require(len(set(were_read)) == 1, "all commands read it, or none", f"count, parse, validate: {were_read}")
        if not counted:
            return
        for command, numbers, out in (("count", counted, "total"), ("parse", parsed, "written")):
            read, used = numbers["events_read"], numbers[out]
            used += sum(numbers[each] for each in ("duplicates", "filtered", "events_rejected", "lost"))
            _require(read == used, "balance", f"{command}: {read} events read, {used} accounted for")
        fields = {each: each for each in ("rows_rejected", "events_read", "events_rejected", "lost")}
        for one, two in (fields | {"total": "written"}).items():
            _require(counted[one] == parsed[two], "count = parse", f"{one}: {counted[one]}, {parsed[two]}")
        lines = written.count(b"\n")
        _require(lines == parsed["written"], "a line for each event", f"{lines}, {parsed['written']}")
        read, checked = counted["events_read"] - counted["lost"], validated["summary"]["events"]
        if checked != read:
            unchecked = self._unchecked_at_most(name, document["problems"], validated["problems"])
            agree = checked < read <= checked + unchecked + counted["events_rejected"]
            _require(agree, "count = validate", f"events: {read}, {checked}, and up to {unchecked} in other documents")

    def _unchecked_at_most(self, name: str, counted: list[dict[str, Any]], checked: list[dict[str, Any]]) -> int:
        """How many events `count` may have read in documents that `validate` rejects.

        An object with `events` and other fields is a row to `count`, and a payload to `validate`: if it is truncated,
        only of a cell are the complete events used; if `events` is an object, only a cell may be one; what is next to a
        cell need not be UTF-8; and a column may have a name that is a mistyped `events`.
        """
        is_truncated = any("truncated" in each["message"] for each in counted)
        codes = {"TDC003", "TDC011", "TDC012", *(["TDC002"] if is_truncated else [])}
        shown = self._json("show", name, "--limit", "1000000")["events"]
        lines = [each["line"] or 0 for each in shown]
        # A problem is in the last document that begins before it, or on its line.
        places = [each["line"] or 0 for each in checked if each["code"] in codes]
        documents = {max((line for line in lines if line <= place), default=0) for place in places}
        return sum(line in documents for line in lines)

    def _read(self, name: str, *options: str, **run: Any) -> dict[str, Any]:
        """What the commands find in an input."""
        _, written, parsed = self._parse(name, *options, **run)
        return {
            "count": self._json("count", name, "--by", "event_type,day", *options, **run),
            "validate": self._json("validate", name, *options, **run),
            "parse": parsed,
            "events": written.splitlines(),
        }

    def _splits(self, name: str, _data: bytes, draw: Random) -> None:
        split = draw.choice([16, 64, 300, 2000])
        one, two = (self._read(name, "--jobs", jobs, split=split) for jobs in ("1", "2"))
        _compare("jobs 1 = jobs 2", one, two)

    def _stdin(self, name: str, data: bytes, _draw: Random) -> None:
        _compare("file = stdin", self._read(name), self._read("-", stdin=data), stdin=name)

    def _gzip(self, name: str, data: bytes, _draw: Random) -> None:
        """Compression is detected by content: the name stays."""
        if not data.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")):
            plain = self._read(name)
            (self._folder / name).write_bytes(gzip.compress(data, 1))
            _compare("file = gzip", plain, self._read(name))

    def _again(self, name: str, _data: bytes, draw: Random) -> None:
        """The output of `parse`, parsed again, stays the same."""
        form, names = draw.choice(["jsonl", "csv", "tsv"]), draw.choice(["short", "streaming", "dotted"])
        options = ["--names", names, *(["--nested", draw.choice(["json", "object"])] if form == "jsonl" else [])]
        result, written, numbers = self._parse(name, *options, to=form)
        if not numbers or not numbers["written"]:
            return
        first = self._folder / f"first.{form}"
        first.write_bytes(written)
        again, rewritten, numbers_again = self._parse(first.name, *options, to=form)
        law = f"parse of parse: {form}, {' '.join(options)}"
        _require(not again.code, law, f"exit code {again.code}: {again.err[-300:]}")
        one, two = numbers["written"], numbers_again["written"]
        _require(one == two, law, f"{one} events, then {two}")
        if "not keep" in result.err:  # the types of some values
            return
        if names != "short":
            # A field that is neither in `user` nor in `properties` comes back as a property, and then stays one.
            for before, after in zip(_events(written, form), _events(rewritten, form), strict=True):
                _require(before == after, law, f"{before} | {after}")
            first.write_bytes(rewritten)
            written, (_, rewritten, _) = rewritten, self._parse(first.name, *options, to=form)
        _require(written == rewritten, law, "the events differ")

    def _parquet(self, name: str, _data: bytes, draw: Random) -> None:
        """Parquet has the values that JSON Lines have."""
        names = ("--names", draw.choice(["short", "streaming", "dotted"]))
        _, lines, _ = self._parse(name, *names, "--nested", "json")
        _, written, numbers = self._parse(name, *names, to="parquet")
        if not written:
            _require(not lines, "parquet = jsonl", "no table")
            return
        table = parquet.read_table(io.BytesIO(written), use_threads=False)
        events = [json.loads(line, parse_int=_Number, parse_float=_Number) for line in lines.splitlines()]
        _require(table.num_rows == len(events) == numbers["written"], "a row for each event", table.num_rows)
        for event, *row in zip(events, *(column.to_pylist() for column in table.columns), strict=True):
            values = {_escaped(name): value for name, value in event.items() if value is not None}
            cells = {name: cell for name, cell in zip(table.column_names, row, strict=True) if cell is not None}
            _require(values.keys() == cells.keys(), "parquet = jsonl", f"{list(values)}, {list(cells)}")
            for column, cell in cells.items():
                is_held = _holds(cell, values[column])
                _require(is_held, "parquet = jsonl", f"{column}: {values[column]!r}, {cell!r}")

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
        destination = ("--site", "us01", "--database", "abc", "--table", "abc")
        sent = self._json("send", "--dry-run", *destination, name, *draw.choice([[], ["--no-check"]]))
        _require(not sent["summary"] or sent["balanced"], "balance", "send")
        summary = self._json("reconcile", "--sent", name, "--ingested", name)["summary"]
        if not summary:
            return
        # All that is read as sent is also read as ingested. Only as ingested rows are truncated objects and arrays of
        # strings not rejected: their events were not sent, and may have the ids of others.
        rejected = [
            [summary["sides"][side][each] for each in ("rows_rejected", "events_rejected", "lost")]
            for side in ("sent", "ingested")
        ]
        kinds = ("missing", "unexpected", "changed") if rejected[0] == rejected[1] else ("missing",)
        shown = {kind: summary[kind] for kind in kinds}
        _require(not any(shown.values()), "a file agrees with itself", f"reconcile: {shown}")


class _Number(str):
    """A number as it is written in JSON."""

    __slots__ = ()


def _escaped(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _holds(cell: Any, value: Any) -> bool:
    """Whether a cell of a column of any type has a value of a JSON line."""
    match cell:
        case bool():
            return cell is value
        case int():
            return isinstance(value, _Number) and repr(cell) == value
        case float():
            return isinstance(value, _Number) and repr(cell) == repr(float(value))
    return bool(cell == (json.dumps(value) if isinstance(value, bool) else _escaped(value)))


def _events(written: bytes, form: str) -> list[list[tuple[str, str]]]:
    """The fields of the events that `parse` wrote, without prefixes and, in a table, without missing values."""
    text = io.StringIO(written.decode(), newline="\n")
    if form == "jsonl":
        events = [json.loads(line, object_pairs_hook=list, parse_int=_Number, parse_float=_Number) for line in text]
    else:
        names, *rows = csv.reader(text) if form == "csv" else (line.rstrip("\n").split("\t") for line in text)
        events = [[pair for pair in zip(names, row, strict=True) if pair[1] not in {"", "\\N"}] for row in rows]
    return [
        sorted((re.sub("^((user|properties)[._])+", "", name), repr(value)) for name, value in event)
        for event in events
    ]


def _compare(law: str, one: Any, two: Any, *, stdin: str = "") -> None:
    """Compare two documents; with `stdin`, the second is about standard input, and the first about a file so named."""
    first, second = list(_lines(one)), list(_lines(two))
    if stdin:
        second = [line.replace("<stdin>", stdin) for line in second]
    for left, right in zip(first, second, strict=False):
        _require(left == right, law, f"{left} | {right}")
    _require(len(first) == len(second), law, "one has more problems")


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
