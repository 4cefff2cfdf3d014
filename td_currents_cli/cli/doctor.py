"""`tdcur doctor`."""

import os
import tempfile
from pathlib import Path

import typer

from td_currents_cli.cli import options
from td_currents_cli.cli.command import PROFILE, OutputFormat, command, general_option
from td_currents_cli.outcome import Outcome


@command(examples=("tdcur doctor", "tdcur doctor --clean"))
def doctor(
    folders: list[Path] | None = typer.Argument(
        None, metavar="FOLDER…", help="More folders to look for temporary files in.", show_default=False
    ),
    *,
    clean: bool = general_option("--clean", default=False, help="Remove the temporary files that were left behind."),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    profile: str | None = PROFILE,
) -> Outcome:
    """Check the set-up: settings, keys, extras, journals, leftovers.

    Makes no request. Temporary files that killed runs left behind are looked for in the current folder, in that for
    temporary files, in the state folder, and in each FOLDER.
    """
    from td_currents_cli.config import PROFILE_VARIABLE, user_file  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.doctor import DoctorRequest, run  # noqa: PLC0415
    from td_currents_cli.send.state import state_folder  # noqa: PLC0415

    state = state_folder()
    return run(
        DoctorRequest(
            working_folder=Path.cwd(),
            user_file=user_file(),
            profile=profile or os.environ.get(PROFILE_VARIABLE, ""),
            state_folder=state,
            folders=(Path(), Path(tempfile.gettempdir()), state, *state.glob("*/"), *(folders or ())),
            clean=clean,
        )
    )
