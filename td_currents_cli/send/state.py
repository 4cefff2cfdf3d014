"""Where a run keeps the journal and the dead letters: in the user's state folder by default."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.journal.writer import GROUP, INTERVAL, Journal
from td_currents_cli.read.options import Source
from td_currents_cli.send.dead_letters import DeadLetter, DeadLetterFile, scrubber
from td_currents_cli.send.endpoint import POSTBACK_PATH, Endpoint
from td_currents_cli.send.payload import Payload
from td_currents_cli.send.prefilter import pack_events
from td_currents_cli.send.retry import Clock

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


_COMMIT_AT: Final = GROUP // 2  # number of requests that are worth a commit: there is room for as many while it lasts


class RunState:
    """The journal, unless there is none, and the file of dead letters. A dry run creates no file.

    Every method may raise OutputError.
    """

    def __init__(
        self, paths: StatePaths, endpoint: Endpoint, clock: Clock, *, inputs: Iterable[Source], is_dry_run: bool
    ) -> None:
        self.paths = paths
        self.letters = DeadLetterFile(
            paths.dead_letter,
            endpoint=endpoint.shown,
            now=clock.wall,
            scrub=scrubber(endpoint),
            is_input=_is_input(paths.dead_letter, inputs),
        )
        if not is_dry_run:
            paths.make_folder()
        self._due = asyncio.Event()
        self.journal: Journal | None = None
        if paths.journal is not None and (paths.journal.exists() or not is_dry_run):
            identity = endpoint.identity()
            if is_dry_run and endpoint.write_key is None and endpoint.token is None:
                # A dry run needs no key: it looks at what was delivered with the latest one.
                identity = replace(identity, credential=None)
            self.journal = Journal(paths.journal, identity=identity, shown=endpoint.shown)

    @property
    def warnings(self) -> tuple[str, ...]:
        return (_OTHER_KEY,) if self.journal is not None and self.journal.knows_others else ()

    def record(self, payload: Payload) -> None:
        if self.journal is not None:
            self.journal.record(payload.keys, payload.kept or pack_events(payload))
            if self.journal.pending >= _COMMIT_AT:
                self._due.set()

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        self.letters.add(letters)

    def commit(self) -> None:
        if self.journal is not None:
            self.journal.commit()

    async def keep_committing(self) -> None:
        """Commit while requests are made, in a thread: the disk may take its time. Never ends.

        What is delivered slowly is on disk soon, too. What comes faster than the disk takes it waits in `record`.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._due.wait()
            self._due.clear()
            await asyncio.to_thread(self.commit)

    def close(self) -> None:
        try:
            self.letters.close()
        finally:
            if self.journal is not None:
                self.journal.close()


def _is_input(file: Path, inputs: Iterable[Source]) -> bool:
    return file.exists() and any(source.path is not None and source.path.samefile(file) for source in inputs)


_OTHER_KEY: Final = (
    "warning: the journal has deliveries to this URL with another key; with this key, everything is sent again"
)
