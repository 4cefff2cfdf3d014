"""Problems for programs: JSON Lines, GitHub Actions workflow commands, SARIF, and JUnit.

The syntax of GitHub's commands and their escapes are those of actions/toolkit (packages/core/src/command.ts).
"""

import posixpath
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from td_currents_cli import __version__
from td_currents_cli.model import Location, Problem, Severity
from td_currents_cli.render.terminal import Terminal, amount, printable, write_json, write_text
from td_currents_cli.render.validate_text import STDIN, omitted_line, report_omitted
from td_currents_cli.secrets import mask, masked
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.list_rules import Family
from td_currents_cli.validate.rules import RULES, Rule
from td_currents_cli.write.formats import json_document, json_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ANNOTATIONS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def write_github(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Write one command per problem to standard output, where the runner reads them."""
    for problem in outcome.problems.kept:
        write_text(mask(annotation(problem)))
    report_omitted(outcome, terminal)


def annotation(problem: Problem) -> str:
    """Format the command for one problem. For standard input, it names no file."""
    place = problem.location
    properties: dict[str, object] = {}
    if place.source != STDIN:
        properties = {"file": place.source, "line": place.line, "col": place.column}
    properties["title"] = problem.code
    fields = ",".join(
        f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items() if value is not None
    )
    # The log shows only the message, so it repeats the place and the code.
    lines = [f"{problem.location} {problem.code} {problem.message}"]
    if problem.pointer:
        lines.append(f"at {problem.pointer}")
    message = "\n".join(map(printable, [*lines, problem.hint]))
    return f"::{_ANNOTATIONS[problem.severity]} {fields}::{message.translate(_DATA)}"


def write_problem_lines(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Write one problem per line, with the fields of `validate.schema.json#/$defs/problem`."""
    for problem in outcome.problems.kept:
        write_json(problem.as_dict(), is_line=True)
    report_omitted(outcome, terminal)


def write_junit(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Write the report as one XML document to standard output."""
    from xml.etree.ElementTree import indent, tostring  # noqa: PLC0415 -- as for the elements, only for this format

    root = _test_suites(outcome)
    indent(root)
    sys.stdout.buffer.write(tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    report_omitted(outcome, terminal)


def _test_suites(outcome: ValidateOutcome) -> "Element":
    from xml.etree.ElementTree import Element, SubElement  # noqa: PLC0415

    kept: dict[str, list[Problem]] = defaultdict(list)
    for problem in outcome.problems.kept:
        kept[problem.code].append(problem)
    tests = [
        _RuleTest(rule, outcome.by_code[rule.code], kept[rule.code], fails=rule.severity in outcome.failing)
        for rule in RULES.values()
        if rule.code in outcome.selection and Family.of(rule.code) is not Family.TDC4
    ]
    root = Element("testsuites", {"name": "tdcur validate", **_totals(tests), "time": f"{outcome.seconds:.3f}"})
    for family, members in groupby(tests, key=lambda test: Family.of(test.rule.code)):
        cases = list(members)
        suite = SubElement(root, "testsuite", {"name": f"{family.name}xx {family}", **_totals(cases), "skipped": "0"})
        suite.extend(case.element() for case in cases)
    return root


@dataclass(frozen=True, slots=True)
class _RuleTest:
    """One rule as a test case."""

    rule: Rule
    count: int  # of its problems
    kept: Sequence[Problem]  # those that are shown
    _: KW_ONLY
    fails: bool  # problems of this severity make the run fail

    @property
    def failed(self) -> bool:
        return self.fails and self.count > 0

    def element(self) -> "Element":
        from xml.etree.ElementTree import Element, SubElement  # noqa: PLC0415

        code, name = self.rule.code, self.rule.name
        case = Element("testcase", classname=f"tdcur.{Family.of(code).name}", name=f"{code} {name}")
        if self.failed:
            message = f"{amount(self.count, 'problem')}: {name}"
            SubElement(case, "failure", type=self.rule.severity, message=message).text = self._places()
        elif self.count:
            SubElement(case, "system-out").text = self._places()
        return case

    def _places(self) -> str:
        # `printable` also escapes what XML 1.0 does not allow, such as most control characters.
        lines = [printable(f"{problem.location} {problem.severity} {problem.message}") for problem in self.kept]
        if self.count > len(lines):
            lines.append(f"… and {self.count - len(lines):,} more")
        return mask("\n".join([*lines, self.rule.fix]))


def _totals(tests: Sequence[_RuleTest]) -> dict[str, str]:
    failures = sum(test.failed for test in tests)
    return {"tests": str(len(tests)), "failures": str(failures), "errors": "0"}


SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SARIF_ROOT: Final = "%SRCROOT%"
"""Base of relative paths: the folder that tdcur was run in; in CI, the checkout."""

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROPERTIES: Final = ("row", "pointer", "event_index", "event_id", "event_type")
_INDEXES: Final = {code: index for index, code in enumerate(RULES)}


def write_sarif(outcome: ValidateOutcome, terminal: Terminal) -> None:  # noqa: ARG001 -- as all renderers
    """Write the log as one JSON document to standard output, one result at a time to bound memory."""
    begin, results, end = json_document(_sarif_log(outcome)).rpartition(b'"results": []')
    sys.stdout.buffer.write(begin + results[:-1])
    between = b"\n"
    for result in _sarif_results(outcome.problems.kept):
        sys.stdout.buffer.write(between + json_line(masked(result)).rstrip(b"\n"))
        between = b",\n"
    sys.stdout.buffer.write(results[-1:] + end)


def _sarif_log(outcome: ValidateOutcome) -> dict[str, object]:
    invocation: dict[str, object] = {
        "executionSuccessful": not outcome.problems.unreadable,
        "exitCode": int(outcome.exit_code),
    }
    if omitted := omitted_line(outcome):
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": omitted}}]
    driver = {"name": "tdcur", "version": __version__, "rules": [_sarif_rule(rule) for rule in RULES.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {SARIF_ROOT: {"description": {"text": "The folder that tdcur was run in."}}},
        "invocations": [invocation],
        "results": [],
    }
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _sarif_rule(rule: Rule) -> dict[str, object]:
    examples = [(title, text) for title, text in (("Bad", rule.bad), ("Good", rule.good)) if text]
    return {
        "id": rule.code,
        "name": rule.code.name.title().replace("_", ""),
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": "\n".join([rule.fix, *(f"{title}: {text}" for title, text in examples)]),
            "markdown": "\n\n".join([rule.fix, *(f"{title}:\n\n```json\n{text}\n```" for title, text in examples)]),
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _sarif_results(problems: tuple[Problem, ...]) -> Iterator[dict[str, object]]:
    seen: Counter[str] = Counter()
    for problem in problems:
        fingerprint, record = _fingerprint(problem), problem.as_dict()
        seen[fingerprint] += 1
        yield {
            "ruleId": problem.code,
            "ruleIndex": _INDEXES[problem.code],
            "level": _LEVELS[problem.severity],
            "message": {"text": f"{problem.message}. {problem.hint}" if problem.hint else problem.message},
            "locations": [{"physicalLocation": _physical(problem.location)}],
            # The name that GitHub reads. By default it hashes the line, and a minified batch is all one line.
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"},
            # What SARIF has no field for, by the names of the JSON format.
            "properties": {name: value for name in _PROPERTIES if (value := record[name]) not in {None, ""}},
        }


def _physical(location: Location) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": artifact(location.source)}
    if location.line is not None:
        region = {"startLine": location.line}
        if location.column is not None:
            region["startColumn"] = location.column
        physical["region"] = region
    return physical


def artifact(source: str) -> dict[str, str]:
    """Locate an input by URI: relative to the folder, or `file:` for a path outside of it."""
    if source == STDIN:
        return {"uri": quote(source)}
    path = posixpath.normpath(source)
    if path.startswith(("/", "../")):
        return {"uri": PurePosixPath(posixpath.abspath(path)).as_uri()}
    # A colon in the first segment would make the start a scheme (RFC 3986, 4.2): quote() escapes it.
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": SARIF_ROOT}


def _fingerprint(problem: Problem) -> str:
    """Identify a problem from run to run, even if lines were added before it."""
    words = (problem.code, problem.location.source, problem.event_id, problem.event_type, problem.message)
    where = None if problem.event_id else problem.pointer
    return sha256(repr((words, where)).encode(errors="backslashreplace")).hexdigest()[:16]


def schema_text() -> str:
    """Return the schema as JSON, with a line end after it."""
    return Path(__file__).with_name("validate.schema.json").read_text(encoding="utf-8")
