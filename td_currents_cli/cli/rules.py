"""`tdcur rules`."""

from typing import Annotated

import typer

from td_currents_cli.cli.common import Format, TextFormat, command
from td_currents_cli.outcome import Outcome


@command
def rules(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE",
            help="A rule, explained with an example, or the beginning of codes, as TDC2. Without it: all rules.",
            show_default=False,
        ),
    ] = "",
    *,
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
) -> Outcome:
    """List the rules of `tdcur validate`, or explain one: why it matters, and what to do.

    Examples: tdcur rules TDC2; tdcur rules TDC201
    """
    from td_currents_cli.validate.listing import RulesRequest, run  # noqa: PLC0415 -- only for this command

    return run(RulesRequest(code))
