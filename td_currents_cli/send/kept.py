"""What a run keeps on disk: what it delivered, in the journal, and what was refused, as dead letters."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from td_currents_cli.journal.writer import GROUP, INTERVAL, Journal
from td_currents_cli.read.sources import Source
from td_currents_cli.send.clock import Clock
from td_currents_cli.send.dead_letter import DeadLetter
from td_currents_cli.send.dead_letter_file import DeadLetterFile
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.payload import Payload
from td_currents_cli.send.scrub import scrubber
from td_currents_cli.send.sent_events import pack_events
from td_currents_cli.send.state import StatePaths

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
