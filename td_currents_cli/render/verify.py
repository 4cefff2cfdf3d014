"""What `verify` says: how far it is while it waits, and how it ended."""

import sys
from contextlib import AbstractContextManager
from typing import Final

from td_currents_cli.render import job_progress
from td_currents_cli.render.figures import amount
from td_currents_cli.render.problems import show_problems
from td_currents_cli.render.send_progress import When, clock_time
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.render.waiting import say, waiting
from td_currents_cli.verify.outcome import VerifyOutcome
from td_currents_cli.verify.progress import VerifyCallback, VerifyProgress
from td_currents_cli.warehouse.job import Job

SHOWN: Final = 10
"""Missing ids that are named; with --verbose all are, and JSON has them all."""


def text(outcome: VerifyOutcome, terminal: Terminal) -> None:
    """One line that says whether all arrived, the ids that are missing, and what to do about them."""
    show_problems(outcome.problems, terminal)
    style = "bold red" if outcome.missing else "bold green"
    terminal.show(_verdict(outcome), style)
    sys.stdout.flush()
    _missing(outcome, terminal)
    if outcome.without_id:
        terminal.say(f"{amount(outcome.without_id, 'event')} without an id: nothing can be said of them", "yellow")
    if outcome.unreadable:
        terminal.say(
            f"no events could be made of {amount(outcome.unreadable, 'row')} of the table, or of parts of them",
            "yellow",
        )
    asked = f"asked {amount(outcome.asked, 'time')} in {clock_time(outcome.seconds)}"
    terminal.say(f"{asked}; rows received from {outcome.rows} (UTC)", "dim")
    if outcome.advice:
        terminal.say(outcome.advice)


def _verdict(outcome: VerifyOutcome) -> str:
    if not outcome.sent:
        return "no event ids to look for"
    if outcome.missing:
        return f"{outcome.arrived:,} of {amount(outcome.sent, 'event id')} arrived in {outcome.table}"
    return f"All {amount(outcome.sent, 'event id')} arrived in {outcome.table}"


def _missing(outcome: VerifyOutcome, terminal: Terminal) -> None:
    shown = outcome.missing if terminal.verbose else outcome.missing[:SHOWN]
    for event_id in shown:
        terminal.show(f"  missing {printable(event_id)}")
    if more := len(outcome.missing) - len(shown):
        terminal.say(f"  … and {more:,} more; --verbose names all, --format json has them", "dim")


def line(news: VerifyProgress | Job) -> str:
    """How far it is, on one line: `arrived 90, missing 10, 0:35, next question in 5 s`; or how a question stands."""
    if isinstance(news, Job):
        return job_progress.line(news)
    figures = [f"arrived {news.arrived:,}", f"missing {news.missing:,}", clock_time(news.seconds)]
    if news.pause is not None:
        figures.append(f"next question in {news.pause:,.0f} s")
    return ", ".join(figures)


def shown(terminal: Terminal, when: When = When.auto) -> AbstractContextManager[VerifyCallback]:
    """A function that is told how far a verification is, and shows it, until the end of the block; see `waiting`."""
    return waiting(terminal, when, line, _lines(terminal), job_progress.was_killed)


def _lines(terminal: Terminal) -> VerifyCallback:
    of_job = job_progress.lines(terminal, after=job_progress.EVERY)

    def tell(news: VerifyProgress | Job) -> None:
        if isinstance(news, Job):
            of_job(news)
        else:
            say(terminal, line(news))

    return tell
