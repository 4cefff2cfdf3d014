"""Where a run keeps the journal and the dead letters: in the user's state folder by default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.sites import POSTBACK_PATH

_JOURNAL_VARIABLE: Final = "TDCUR_JOURNAL"
_MAX_FOLDER_NAME: Final = 200
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOptions:
    """What the user asked for; None for the environment, else the state folder."""

    journal: Path | None = None
    no_journal: bool = False
    dead_letter: Path | None = None
    resend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePaths:
    """The files of a run."""

    journal: Path | None
    dead_letter: Path
    folder: Path | None  # the endpoint's own folder, where one of the files is in it

    def make_folder(self) -> None:
        if self.folder is None:
            return
        try:
            self.folder.parent.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder.parent, self.folder):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot create the folder {self.folder}: {(error.strerror or type(error).__name__).lower()}",
                hint="Give --journal FILE and --dead-letter FILE, or set XDG_STATE_HOME.",
            ) from error


def state_paths(options: StateOptions, endpoint: Endpoint, environ: Mapping[str, str]) -> StatePaths:
    if options.journal is not None and options.no_journal:
        raise UsageError("--journal and --no-journal cannot be used together", hint="Remove one of them.")
    if options.journal is not None and options.journal == options.dead_letter:
        raise UsageError("--journal and --dead-letter name the same file", hint="Name two different files.")
    named = options.journal
    if named is None and not options.no_journal and environ.get(_JOURNAL_VARIABLE):
        named = Path(environ[_JOURNAL_VARIABLE])
    if named is not None:
        dead_letter = options.dead_letter or named.with_name(f"{named.name}.dead-letter.jsonl")
        return StatePaths(journal=named, dead_letter=dead_letter, folder=None)
    from platformdirs import user_state_path  # noqa: PLC0415 -- not needed where the files are named

    folder = user_state_path("tdcur", appauthor=False) / _folder_name(endpoint)
    journal = None if options.no_journal else folder / "journal.sqlite"
    is_used = journal is not None or options.dead_letter is None
    return StatePaths(
        journal=journal,
        dead_letter=options.dead_letter or folder / "dead-letter.jsonl",
        folder=folder if is_used else None,
    )


def _folder_name(endpoint: Endpoint) -> str:
    # One per endpoint, so that runs to different ones do not wait for each other; readable for a person.
    parts = urlsplit(endpoint.shown)
    # The path of another endpoint may hold a token.
    _, _, names = parts.path.partition(POSTBACK_PATH)
    text = _UNUSUAL.sub("_", "-".join([parts.netloc, *filter(None, names.split("/"))]))
    return f"{text[:_MAX_FOLDER_NAME]}-{endpoint.identity().url.hex()[:8]}"
