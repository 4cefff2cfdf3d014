"""Problems as JSON Lines."""

import sys

from td_currents_cli.render.terminal import Terminal
from td_currents_cli.render.validate.shown import report_omitted
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.write.formats import json_line


def write_problem_lines(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Write one problem per line, with the fields of `validate.schema.json#/$defs/problem`."""
    for problem in outcome.problems.kept:
        sys.stdout.buffer.write(json_line(problem.as_dict()))
    report_omitted(outcome, terminal)
