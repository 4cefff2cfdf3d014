"""Problems as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): one run of the tool tdcur."""

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
from td_currents_cli.render.validate.shown import STDIN, omitted_line
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.rules import RULES, Rule
from td_currents_cli.write.formats import json_document, json_line

SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SARIF_ROOT: Final = "%SRCROOT%"
"""Base of relative paths: the folder that tdcur was run in; in CI, the checkout."""

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_INDEXES: Final = {code: index for index, code in enumerate(RULES)}


def write_sarif(outcome: ValidateOutcome, terminal: Terminal) -> None:  # noqa: ARG001 -- as all renderers
    """Write the log as one JSON document to standard output, one result at a time to bound memory."""
    begin, results, end = json_document(_sarif_log(outcome)).rpartition(b'"results": []')
    sys.stdout.buffer.write(begin + results[:-1])
    between = b"\n"
    for result in _sarif_results(outcome.problems.kept):
        sys.stdout.buffer.write(between + json_line(result).rstrip(b"\n"))
        between = b",\n"
    sys.stdout.buffer.write(results[-1:] + end)


def _sarif_log(outcome: ValidateOutcome) -> dict[str, object]:
    driver = {"name": "tdcur", "version": __version__, "rules": [_sarif_rule(rule) for rule in RULES.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {SARIF_ROOT: {"description": {"text": "The folder that tdcur was run in."}}},
        "invocations": [_invocation(outcome)],
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


def _invocation(outcome: ValidateOutcome) -> dict[str, object]:
    invocation: dict[str, object] = {
        "executionSuccessful": not outcome.problems.unreadable,
        "exitCode": int(outcome.exit_code),
    }
    omitted = omitted_line(outcome)
    if omitted:
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": omitted}}]
    return invocation


def _sarif_results(problems: tuple[Problem, ...]) -> Iterator[dict[str, object]]:
    seen: Counter[str] = Counter()
    for problem in problems:
        fingerprint = _fingerprint(problem)
        seen[fingerprint] += 1
        yield {
            "ruleId": problem.code,
            "ruleIndex": _INDEXES[problem.code],
            "level": _LEVELS[problem.severity],
            "message": {"text": _result_message(problem)},
            "locations": [{"physicalLocation": _physical(problem.location)}],
            # The name that GitHub reads. By default it hashes the line, and a minified batch is all one line.
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"},
            "properties": dict(_properties(problem)),
        }


def _result_message(problem: Problem) -> str:
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


def _properties(problem: Problem) -> Iterator[tuple[str, object]]:
    """Yield what SARIF has no field for, by the names of the JSON format."""
    record = problem.as_dict()
    for name in ("row", "pointer", "event_index", "event_id", "event_type"):
        if record[name] not in {None, ""}:
            yield name, record[name]
