"""`tdcur config`."""

from td_currents_cli.cli import options
from td_currents_cli.cli.command import OutputFormat, command
from td_currents_cli.config import Config
from td_currents_cli.outcome import Outcome


@command(examples=("tdcur config", "tdcur config --profile staging"))
def config(
    *,
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    settings: Config,
) -> Outcome:
    """Show the settings that apply here, and where each comes from.

    Options take precedence over environment variables, these over the profile, it over `tdcur.toml` (or
    `[tool.tdcur]` in `pyproject.toml`) of the project, and that over your own file. Keys are never shown.
    """
    import os  # noqa: PLC0415 -- a command loads only what it runs

    from td_currents_cli.config import user_file  # noqa: PLC0415
    from td_currents_cli.list_settings import ConfigOutcome  # noqa: PLC0415

    return ConfigOutcome.of(settings, user_file(), os.environ)
