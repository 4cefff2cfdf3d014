"""Where a run keeps the journal and the dead letters: in the user's state folder by default."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.braze import POSTBACK_PATH
from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.journal.writer import GROUP, INTERVAL, Journal
from td_currents_cli.patterns import pattern
from td_currents_cli.read.options import Source
from td_currents_cli.send.dead_letters import DeadLetterFile
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.payload import Payload
from td_currents_cli.send.prefilter import pack_events
from td_currents_cli.send.retry import Clock

_UNUSUAL: Final = pattern(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOptions:
    """What the user asked for; None for the environment, else the state folder."""

    journal: Path | None = None
    no_journal: bool = False
    dead_letter: Path | None = None
    resend: bool = False


def state_files(
    options: StateOptions, endpoint: Endpoint, environ: Mapping[str, str]
) -> tuple[Path | None, Path, Path | None]:
    """Return the journal, the file of dead letters, and the endpoint's own folder, where one of them is in it."""
    if options.journal is not None and options.no_journal:
        raise UsageError("--journal and --no-journal cannot be used together", hint="Remove one of them.")
    if options.journal is not None and options.journal == options.dead_letter:
        raise UsageError("--journal and --dead-letter name the same file", hint="Name two different files.")
    named = options.journal
    if named is None and not options.no_journal and environ.get("TDCUR_JOURNAL"):
        named = Path(environ["TDCUR_JOURNAL"])
    if named is not None:
        return named, options.dead_letter or named.with_name(f"{named.name}.dead-letter.jsonl"), None
    folder = state_folder() / _folder_name(endpoint)
    journal = None if options.no_journal else folder / "journal.sqlite"
    is_used = journal is not None or options.dead_letter is None
    return journal, options.dead_letter or folder / "dead-letter.jsonl", folder if is_used else None


def state_folder() -> Path:
    """Return the folder with a folder for each endpoint, which need not exist."""
    from platformdirs import user_state_path  # noqa: PLC0415 -- not needed where the files are named

    return user_state_path("tdcur", appauthor=False)


def _make_folder(folder: Path) -> None:
    try:
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create the folder {folder}: {(error.strerror or type(error).__name__).lower()}",
            hint="Give --journal FILE and --dead-letter FILE, or set XDG_STATE_HOME.",
        ) from error


def _folder_name(endpoint: Endpoint) -> str:
    # One per endpoint, so that runs to different ones do not wait for each other; readable for a person.
    parts = urlsplit(endpoint.shown)
    # The path of another endpoint may hold a token.
    _, _, names = parts.path.partition(POSTBACK_PATH)
    text = _UNUSUAL.sub("_", "-".join([parts.netloc, *filter(None, names.split("/"))]))
    return f"{text[:200]}-{endpoint.identity().url.hex()[:8]}"


_COMMIT_AT: Final = GROUP // 2  # number of requests that are worth a commit: there is room for as many while it lasts


class RunState:
    """The journal, unless there is none, and the file of dead letters. A dry run creates no file.

    Every method may raise OutputError.
    """

    def __init__(
        self,
        journal: Path | None,
        dead_letter: Path,
        folder: Path | None,
        endpoint: Endpoint,
        clock: Clock,
        *,
        inputs: Iterable[Source],
        is_dry_run: bool,
    ) -> None:
        self.journal_path = journal
        is_input = dead_letter.exists() and any(
            each.path is not None and each.path.samefile(dead_letter) for each in inputs
        )
        self.letters = DeadLetterFile(dead_letter, endpoint, clock.wall, is_input=is_input)
        if folder is not None and not is_dry_run:
            _make_folder(folder)
        self._due = asyncio.Event()
        self.journal: Journal | None = None
        if journal is not None and (journal.exists() or not is_dry_run):
            identity = endpoint.identity()
            if is_dry_run and endpoint.write_key is None and endpoint.token is None:
                # A dry run needs no key: it looks at what was delivered with the latest one.
                identity = replace(identity, credential=None)
            self.journal = Journal(journal, identity=identity, shown=endpoint.shown)

    @property
    def warnings(self) -> tuple[str, ...]:
        if self.journal is None or not self.journal.knows_others:
            return ()
        return (
            "warning: the journal has deliveries to this URL with another key; with this key, everything is sent again",
        )

    def record(self, payload: Payload) -> None:
        if self.journal is not None:
            self.journal.record(payload.keys, payload.kept or pack_events(payload))
            if len(self.journal.pending) >= _COMMIT_AT:
                self._due.set()

    async def keep_committing(self) -> None:
        """Commit while requests are made, in a thread: the disk may take its time. Never ends.

        What is delivered slowly is on disk soon, too. What comes faster than the disk takes it waits in `record`.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._due.wait()
            self._due.clear()
            if self.journal is not None:
                await asyncio.to_thread(self.journal.commit)

    def close(self) -> None:
        try:
            self.letters.close()
        finally:
            if self.journal is not None:
                self.journal.close()
