"""Problems as JUnit XML: each rule is a test.

CI servers track a test by its name from run to run, and show one failure of each. Payload files come and go, and one
may have thousands of problems; rules stay. So a rule is a test case that fails once and lists its places, a family of
rules is a suite, and a clean run has passing tests to show. Rules that were not selected are omitted, and so are the
delivery rules, which `tdcur validate` does not check.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from td_currents_cli.model import Problem, Severity
from td_currents_cli.render.figures import amount
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.render.validate.shown import report_omitted
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.list_rules import Family
from td_currents_cli.validate.rules import RULES, Rule


def write_junit(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Write the report as one XML document to standard output."""
    root = _test_suites(outcome)
    indent(root)
    sys.stdout.buffer.write(tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    report_omitted(outcome, terminal)


def _test_suites(outcome: ValidateOutcome) -> Element:
    kept: dict[str, list[Problem]] = defaultdict(list)
    for problem in outcome.problems.kept:
        kept[problem.code].append(problem)
    failing = {Severity.ERROR, Severity.WARNING} if outcome.strict else {Severity.ERROR}
    tests = [
        _RuleTest(rule, outcome.by_code[rule.code], kept[rule.code], fails=rule.severity in failing)
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

    def element(self) -> Element:
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
        return "\n".join([*lines, self.rule.fix])


def _totals(tests: Sequence[_RuleTest]) -> dict[str, str]:
    failures = sum(test.failed for test in tests)
    return {"tests": str(len(tests)), "failures": str(failures), "errors": "0"}
