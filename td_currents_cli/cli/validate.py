"""`tdcur validate`."""

from td_currents_cli.cli.common import Format, Paths, TextFormat, command
from td_currents_cli.outcome import Outcome


@command
def validate(
    paths: Paths = None,
    *,
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
) -> Outcome:
    """Check payloads: JSON, envelope, required fields and types. Exits 1 when there are errors."""
    from td_currents_cli.read import sources  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.validate import ValidateRequest, run  # noqa: PLC0415

    return run(ValidateRequest(sources(paths)))
