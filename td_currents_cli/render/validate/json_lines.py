"""Findings as JSON Lines."""

import sys

from td_currents_cli.render.terminal import Terminal
from td_currents_cli.render.validate.shown import say_what_is_cut
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.write.json_text import json_line


def write(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """One problem a line, in the fields of `validate.schema.json#/$defs/problem`."""
    for problem in outcome.problems.kept:
        sys.stdout.buffer.write(json_line(problem.as_dict()))
    say_what_is_cut(outcome, terminal)
