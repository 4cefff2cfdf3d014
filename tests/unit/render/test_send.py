"""What `send` prints for people."""

from collections import Counter

import pytest

from td_currents_cli.model import Severity
from td_currents_cli.outcome import Problems
from td_currents_cli.render.send import print_sent
from td_currents_cli.send import SendOutcome
from tests.rendering import Screen


@pytest.mark.parametrize(
    ("read", "dead", "already_delivered", "errors", "reason"),
    [
        (0, 0, 0, 0, "the input has no events"),
        (0, 0, 0, 2, "no events could be read (2 errors)"),
        (3, 0, 3, 1, "all events are already delivered"),
        (3, 3, 0, 3, "all events break a rule of `validate`"),
        (3, 1, 2, 1, "all events are already delivered or break a rule of `validate`"),
    ],
)
def test_a_dry_run_with_nothing_to_send_says_why_at_its_end(
    screen: Screen, *, read: int, dead: int, already_delivered: int, errors: int, reason: str
) -> None:
    problems = Problems(by_severity=Counter({Severity.ERROR: errors}))
    outcome = SendOutcome(
        endpoint="e", dry_run=True, read=read, dead=dead, already_delivered=already_delivered, problems=problems
    )
    print_sent(outcome, screen.terminal)
    assert screen.err.splitlines()[-1] == f"Nothing would be sent: {reason}."
    assert screen.out.startswith("would send nothing to e\n")
