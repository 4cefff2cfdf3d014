"""Progress and result of `verify`."""

import sys
from contextlib import AbstractContextManager
from typing import Final

from td_currents_cli.render import job_progress
from td_currents_cli.render.figures import amount
from td_currents_cli.render.problems import print_problems
from td_currents_cli.render.send_progress import clock_time
from td_currents_cli.render.terminal import ProgressMode, Terminal, print_wrapped, printable
from td_currents_cli.render.waiting import show_waiting
from td_currents_cli.treasure_data.client import Job
from td_currents_cli.verify import VerifyCallback, VerifyOutcome, VerifyProgress

SHOWN_IDS: Final = 10
"""Missing ids that are printed without --verbose; JSON has all of them."""


def print_verification(outcome: VerifyOutcome, terminal: Terminal) -> None:
    """Print whether all events arrived, the missing ids, and what to do about them."""
    print_problems(outcome.problems, terminal)
    terminal.print(_arrival_line(outcome), "bold red" if outcome.missing else "bold green")
    sys.stdout.flush()
    shown = outcome.missing if terminal.verbose else outcome.missing[:SHOWN_IDS]
    for event_id in shown:
        terminal.print(f"  missing {printable(event_id)}")
    if more := len(outcome.missing) - len(shown):
        terminal.report(f"  … and {more:,} more; use --verbose or --format json to see all", "dim")
    if outcome.without_id:
        terminal.report(f"{amount(outcome.without_id, 'event')} without an id cannot be verified", "yellow")
    if outcome.unreadable:
        terminal.report(f"{amount(outcome.unreadable, 'row')} of the table could not be read completely", "yellow")
    asked = f"{amount(outcome.asked, 'query', 'queries')} in {clock_time(outcome.seconds)}"
    terminal.report(f"{asked}; rows received from {outcome.rows} (UTC)", "dim")
    if outcome.advice:
        terminal.report(outcome.advice)


def _arrival_line(outcome: VerifyOutcome) -> str:
    if not outcome.sent:
        return "no event ids to search for"
    if outcome.missing:
        return f"{outcome.arrived:,} of {amount(outcome.sent, 'event id')} arrived in {outcome.table}"
    return f"All {amount(outcome.sent, 'event id')} arrived in {outcome.table}"


def verification_line(update: VerifyProgress | Job) -> str:
    """Format progress on one line: `arrived 90, missing 10, 0:35, next query in 5 s`; or the state of a query."""
    if isinstance(update, Job):
        return job_progress.job_line(update)
    figures = [f"arrived {update.arrived:,}", f"missing {update.missing:,}", clock_time(update.seconds)]
    if update.pause is not None:
        figures.append(f"next query in {update.pause:,.0f} s")
    return ", ".join(figures)


def show_verification(
    terminal: Terminal, mode: ProgressMode = ProgressMode.auto
) -> AbstractContextManager[VerifyCallback]:
    """Yield a function that shows the progress of a verification; see `show_waiting`."""
    print_job = job_progress.job_printer(terminal, after=job_progress.JOB_INTERVAL)

    def print_update(update: VerifyProgress | Job) -> None:
        if isinstance(update, Job):
            print_job(update)
        else:
            print_wrapped(terminal.err, verification_line(update))

    return show_waiting(terminal, mode, verification_line, print_update, job_progress.is_killed)
