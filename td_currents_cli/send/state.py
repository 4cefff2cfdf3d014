"""Where a run keeps what outlives it: the journal and the dead letters, in the user's state folder unless told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.identity import Identity
from td_currents_cli.send.sites import POSTBACK_PATH

_JOURNAL: Final = "TDCUR_JOURNAL"
_LONGEST: Final = 200
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the user said about it. The environment and the state folder stand in for what is None.

    Attributes:
        journal: file of the journal.
        no_journal: keep none.
        dead_letter: file of the dead letters.
        resend: send also what earlier runs delivered.
    """

    journal: Path | None = None
    no_journal: bool = False
    dead_letter: Path | None = None
    resend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where it is kept.

    Attributes:
        journal: file of the journal; None for none.
        dead_letter: file of the dead letters.
        folder: the endpoint's own folder, where one of the files is in it and it may have to be made.
    """

    journal: Path | None
    dead_letter: Path
    folder: Path | None

    def make_folder(self) -> None:
        """Make the endpoint's folder, which only its owner can look into.

        Raises:
            OutputError: that cannot be done.
        """
        if self.folder is None:
            return
        try:
            self.folder.parent.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder.parent, self.folder):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {self.folder}: {(error.strerror or type(error).__name__).lower()}",
                hint="Give --journal FILE and --dead-letter FILE, or set XDG_STATE_HOME.",
            ) from error


def places(state: State, endpoint: Endpoint, environ: Mapping[str, str]) -> Places:
    """Where the journal and the dead letters of an endpoint are. Nothing is made.

    Raises:
        UsageError: what was said contradicts itself.
    """
    if state.journal is not None and state.no_journal:
        raise UsageError("--journal and --no-journal contradict each other", hint="Give one of them.")
    if state.journal is not None and state.journal == state.dead_letter:
        raise UsageError("--journal and --dead-letter name the same file", hint="Name two.")
    named = state.journal or (Path(environ[_JOURNAL]) if environ.get(_JOURNAL) and not state.no_journal else None)
    if named is not None:
        beside = named.with_name(f"{named.name}.dead-letter.jsonl")
        return Places(journal=named, dead_letter=state.dead_letter or beside, folder=None)
    folder = _state_folder() / _folder_name(endpoint)
    journal = None if state.no_journal else folder / "journal.sqlite"
    dead_letter = state.dead_letter or folder / "dead-letter.jsonl"
    is_used = journal is not None or state.dead_letter is None
    return Places(journal=journal, dead_letter=dead_letter, folder=folder if is_used else None)


def _state_folder() -> Path:
    from platformdirs import user_state_path  # noqa: PLC0415 -- not needed where the files are named

    return user_state_path("tdcur", appauthor=False)


def _folder_name(endpoint: Endpoint) -> str:
    """One for each endpoint, so that runs to different ones do not wait for each other; telling to a person."""
    parts = urlsplit(endpoint.shown)
    # The path of another endpoint may hold a token.
    _, _, names = parts.path.partition(POSTBACK_PATH)
    text = _ODD.sub("_", "-".join([parts.netloc, *filter(None, names.split("/"))]))
    return f"{text[:_LONGEST]}-{Identity.of(endpoint).url.hex()[:8]}"
