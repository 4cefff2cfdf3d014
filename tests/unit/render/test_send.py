"""What `send` prints for people."""

from collections import Counter
from typing import Any

import pytest

from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Code, Location, Problem, Severity
from td_currents_cli.outcome import ProblemLog, Problems
from td_currents_cli.render.send import _RECEIVED_ONLY, print_sent
from td_currents_cli.send import SendOutcome
from td_currents_cli.send.messages import SendInterruptedError
from tests.rendering import Screen, screen_of


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


def sent(**fields: Any) -> SendOutcome:
    """A run in which all went well, but for what is given."""
    figures = {
        "read": 1200,
        "delivered": 1200,
        "requests": 13,
        "requests_by_status": {"200": 12, "503": 1},
        "retries": 1,
    }
    return SendOutcome(**{"endpoint": "https://e/x", "bytes": 9000, "seconds": 2.0, **figures, **fields})


def test_a_run_in_which_all_went_well_is_short(screen: Screen) -> None:
    """One line and a note; all figures with --verbose."""
    print_sent(sent(), screen.terminal)
    assert screen.out == "delivered 1,200 events in 13 requests (1 retry), 2.0 s, 600 events/s\n"
    assert screen.err.splitlines() == [_RECEIVED_ONLY]
    verbose = screen_of(verbose=True)
    print_sent(sent(), verbose.terminal)
    assert "503: 1" in verbose.out
    assert "bytes" in verbose.out


def test_a_run_with_nothing_new_says_why(screen: Screen) -> None:
    print_sent(sent(delivered=0, already_delivered=1200, requests=0, retries=0), screen.terminal)
    already = "1,200 events already delivered by earlier runs; --resend sends them again"
    assert screen.lines == ["nothing new for https://e/x", already, ""]


@pytest.mark.parametrize(
    "fields",
    [
        {"dead": 1, "delivered": 1199, "exit_code": ExitCode.INCOMPLETE},
        {"undelivered": 1, "delivered": 1199, "exit_code": ExitCode.INCOMPLETE},
        {"unknown_events": 1, "deduplicate_sql": "SELECT"},
        {"input_exhausted": False},
        {"problems": Problems(by_severity=Counter({Severity.WARNING: 1}))},
        {"delivered": 1199},
    ],
    ids=["dead", "undelivered", "ambiguous", "input", "problem", "balance"],
)
def test_all_figures_where_something_went_wrong(screen: Screen, fields: dict[str, Any]) -> None:
    print_sent(sent(**fields), screen.terminal)
    assert "503: 1" in screen.out


def test_an_interruption_is_one_line(screen: Screen) -> None:
    """What was delivered, and what was not; then how to resume."""
    error = SendInterruptedError("interrupted: not all events were sent")
    figures = {"delivered": 700, "undelivered": 498, "dead": 2, "unknown_events": 100, "input_exhausted": False}
    print_sent(sent(error=error, exit_code=error.exit_code, **figures), screen.terminal)
    first = "interrupted: 700 events delivered, 2 dead letters, 498 not delivered (100 may have arrived)"
    assert screen.err.splitlines()[0] == f"error: {first}, the rest of the input was not read"
    assert screen.out == ""


def test_what_could_not_be_read_is_among_the_figures(screen: Screen) -> None:
    """Inputs that were not read to their end, by name, and documents without readable events."""
    log = ProblemLog()
    for name in ("a.gz", "b.gz", "c.gz", "d.gz"):
        log.add(Problem(code=Code.UNREADABLE, location=Location(source=name), message="truncated"))
    outcome = sent(problems=log.result(), rows_rejected=2, exit_code=ExitCode.IO)
    print_sent(outcome, screen.terminal)
    figures = {line.split("  ")[0]: line.split()[1:] for line in screen.lines}
    assert figures["unreadable"] == [*["4", "not", "read", "to", "the", "end:", "a.gz,", "b.gz,", "c.gz,", "…"]]
    assert figures["rejected rows"][1] == "2"
    assert {"unreadable": 4, "rows_rejected": 2}.items() <= outcome.summary().items()
