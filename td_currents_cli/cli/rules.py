"""`tdcur rules`."""

import typer

from td_currents_cli.cli import complete, options
from td_currents_cli.cli.command import OutputFormat, command
from td_currents_cli.outcome import Outcome


@command(examples=("tdcur rules TDC2", "tdcur rules TDC201"))
def rules(
    code: str = typer.Argument(
        "",
        metavar="CODE",
        autocompletion=complete.rule_codes,
        help="A rule to explain, or the first characters of several codes, such as TDC2.",
        show_default="all rules",
    ),
    *,
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
) -> Outcome:
    """List the rules of `tdcur validate`, or explain one.

    An explanation says why the rule matters and how to fix the problem.
    """
    from td_currents_cli.validate.list_rules import RulesRequest, run  # noqa: PLC0415 -- only for this command

    return run(RulesRequest(code))
