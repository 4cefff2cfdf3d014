"""Findings in the forms that people and CI servers read: a module a form, loaded when it is asked for."""

from td_currents_cli.render.terminal import Terminal
from td_currents_cli.validate import ValidateOutcome


def text(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """For people: each finding with the line it stands in and what to do about it, or counts a rule."""
    from td_currents_cli.render.validate.report import write  # noqa: PLC0415 -- one form is asked for, not all

    write(outcome, terminal)


def jsonl(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """JSON Lines: one problem a line."""
    from td_currents_cli.render.validate.json_lines import write  # noqa: PLC0415 -- as above

    write(outcome, terminal)


def github(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Workflow commands, which GitHub Actions shows beside the lines of a pull request."""
    from td_currents_cli.render.validate.github_commands import write  # noqa: PLC0415 -- as above

    write(outcome, terminal)


def sarif(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """SARIF 2.1.0, for code scanning and editors."""
    from td_currents_cli.render.validate.sarif_log import write  # noqa: PLC0415 -- as above

    write(outcome, terminal)


def junit(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """JUnit XML, for CI servers that show test reports."""
    from td_currents_cli.render.validate.junit_report import write  # noqa: PLC0415 -- as above

    write(outcome, terminal)
