"""What `parse` says when it is done: problems, the format that was read, and what became of the events."""

from typing import TYPE_CHECKING

from td_currents_cli.catalog.ddl import OTHER_FIELDS
from td_currents_cli.errors import ExitCode
from td_currents_cli.parse import ParseOutcome
from td_currents_cli.render.terminal import Terminal, amount, balance_line, print_problems, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from td_currents_cli.treasure_data.insert import InsertOutcome


def report_parsed(outcome: "ParseOutcome | InsertOutcome", terminal: Terminal) -> None:
    """Report the problems, where the batches were found or the events were inserted, and the balance."""
    print_problems(outcome.problems, terminal)
    if isinstance(outcome, ParseOutcome):
        for name, near in outcome.unknown.items():
            suggestion = f"; did you mean `{near}`?" if near else ""
            terminal.report(f"--fields: `{printable(name)}` is not in the catalog{suggestion}", "yellow")
        for note in outcome.notes:
            terminal.report(printable(note), "yellow")
        if outcome.formats:
            terminal.report("; ".join(map(str, outcome.formats)), "dim")
    else:
        _report_inserted(outcome, terminal)
    is_good = outcome.exit_code is ExitCode.OK and not outcome.problems.total
    terminal.report(balance_line(outcome.balance, f"written{_destination(outcome)}"), "green" if is_good else "dim")
    if isinstance(outcome, ParseOutcome) and (others := "; ".join(_other_files(outcome))):
        terminal.report(others, "dim")


def _destination(outcome: "ParseOutcome | InsertOutcome") -> str:
    if not isinstance(outcome, ParseOutcome) or outcome.output is None:
        return ""
    files = f"{amount(len(outcome.files), 'file')} in " if outcome.files else ""
    return f" to {files}{printable(str(outcome.output))}"


def _other_files(outcome: ParseOutcome) -> "Iterator[str]":
    if outcome.rejects is not None:
        yield f"{amount(outcome.balance.rejects, 'reject')} in {printable(str(outcome.rejects))}"
    if outcome.summary_file is not None:
        yield f"summary in {printable(str(outcome.summary_file))}"


def _report_inserted(outcome: "InsertOutcome", terminal: Terminal) -> None:
    created = f"created {outcome.into}; " if outcome.created else ""
    if outcome.inserted is None:
        terminal.report(f"{created}inserted the events into {outcome.into}; Treasure Data does not report how many")
    else:
        terminal.report(f"{created}inserted {amount(outcome.inserted, 'event')} into {outcome.into}")
        if outcome.inserted != outcome.balance.events_out:
            terminal.report("an earlier count gave another number: rows arrived in between", "yellow")
    if outcome.others:
        have = "has" if outcome.others == 1 else "have"
        terminal.report(
            f"{amount(outcome.others, 'event')} {have} fields without a column of their own: see `{OTHER_FIELDS}`",
            "yellow",
        )
