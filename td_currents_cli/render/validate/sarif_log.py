"""Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): one run of the tool tdcur."""

import posixpath
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from td_currents_cli import __version__
from td_currents_cli.model import Location, Problem, Severity
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.render.validate.shown import STDIN, cut_line
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.rules import RULES, Rule
from td_currents_cli.write.json_text import json_document, json_line

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "%SRCROOT%"
"""What relative paths are relative to: the folder tdcur was run in, in CI the checkout."""

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_INDEXES: Final = {code: index for index, code in enumerate(RULES)}


def write(outcome: ValidateOutcome, terminal: Terminal) -> None:  # noqa: ARG001 -- all forms are called alike
    """The whole log as one JSON document on standard output, a result a line, so that memory holds one of them."""
    begin, results, end = json_document(_log(outcome)).rpartition(b'"results": []')
    sys.stdout.buffer.write(begin + results[:-1])
    between = b"\n"
    for result in _results(outcome.problems.kept):
        sys.stdout.buffer.write(between + json_line(result).rstrip(b"\n"))
        between = b",\n"
    sys.stdout.buffer.write(results[-1:] + end)


def _log(outcome: ValidateOutcome) -> dict[str, object]:
    """The log without its results."""
    driver = {"name": "tdcur", "version": __version__, "rules": [_rule(rule) for rule in RULES.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder that tdcur was run in."}}},
        "invocations": [_invocation(outcome)],
        "results": [],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, object]:
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


def _invocation(outcome: ValidateOutcome) -> dict[str, object]:
    invocation: dict[str, object] = {
        "executionSuccessful": not outcome.problems.unreadable,
        "exitCode": int(outcome.exit_code),
    }
    cut = cut_line(outcome)
    if cut:
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": cut}}]
    return invocation


def _results(problems: tuple[Problem, ...]) -> Iterator[dict[str, object]]:
    seen: Counter[str] = Counter()
    for problem in problems:
        fingerprint = _fingerprint(problem)
        seen[fingerprint] += 1
        yield {
            "ruleId": problem.code,
            "ruleIndex": _INDEXES[problem.code],
            "level": _LEVELS[problem.severity],
            "message": {"text": _message(problem)},
            "locations": [{"physicalLocation": _physical(problem.location)}],
            # The name GitHub looks for. Left to it, it would take the text of the line, and all of a minified batch is
            # one line.
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"},
            "properties": dict(_properties(problem)),
        }


def _message(problem: Problem) -> str:
    return f"{problem.message}. {problem.hint}" if problem.hint else problem.message


def _physical(location: Location) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": artifact(location.source)}
    if location.line is not None:
        region = {"startLine": location.line}
        if location.column is not None:
            region["startColumn"] = location.column
        physical["region"] = region
    return physical


def artifact(source: str) -> dict[str, str]:
    """An input as a URI: `file:` for a path that cannot be said from the folder down, else relative to that."""
    if source == STDIN:
        return {"uri": quote(source)}
    path = posixpath.normpath(source)
    if path.startswith(("/", "../")):
        return {"uri": PurePosixPath(posixpath.abspath(path)).as_uri()}
    # A colon in the first step would make the part before it a scheme (RFC 3986, 4.2): quote() escapes it.
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": ROOT}


def _fingerprint(problem: Problem) -> str:
    """The same for the same finding in the next run, also when lines were put before it."""
    words = (problem.code, problem.location.source, problem.event_id, problem.event_type, problem.message)
    where = None if problem.event_id else problem.pointer
    return sha256(repr((words, where)).encode(errors="backslashreplace")).hexdigest()[:16]


def _properties(problem: Problem) -> Iterator[tuple[str, object]]:
    """What SARIF has no field for, by the names of the JSON form."""
    record = problem.as_dict()
    for name in ("row", "pointer", "event_index", "event_id", "event_type"):
        if record[name] not in {None, ""}:
            yield name, record[name]
