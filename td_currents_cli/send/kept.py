"""What a run keeps on disk: what it delivered, in the journal, and what it gave up, as dead letters."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from td_currents_cli.read.sources import Source
from td_currents_cli.send.clock import Clock
from td_currents_cli.send.dead_letter import DeadLetter
from td_currents_cli.send.dead_letter_file import DeadLetterFile
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.identity import Identity
from td_currents_cli.send.journal import GROUP, INTERVAL, Journal
from td_currents_cli.send.payload import Payload
from td_currents_cli.send.scrub import scrubber
from td_currents_cli.send.sent_events import packed_events
from td_currents_cli.send.state import Places

_DUE: Final = GROUP // 2
"""Requests that are worth a commit: there is room for as many while it lasts."""


class Kept:
    """The journal, if there is to be one, and the file of dead letters.

    Attributes:
        where: their places.
        letters: where dead letters go.
        journal: open; None for none.
    """

    def __init__(
        self, where: Places, endpoint: Endpoint, clock: Clock, *, inputs: Iterable[Source], is_rehearsal: bool
    ) -> None:
        """Open them. A rehearsal makes nothing that is not there.

        Raises:
            OutputError: one of them cannot be used.
        """
        self.where = where
        self.letters = DeadLetterFile(
            where.dead_letter,
            endpoint=endpoint.shown,
            now=clock.wall,
            scrub=scrubber(endpoint),
            is_input=reads(inputs, where.dead_letter),
        )
        if not is_rehearsal:
            where.make_folder()
        self._due = asyncio.Event()
        self.journal: Journal | None = None
        if where.journal is not None and (where.journal.exists() or not is_rehearsal):
            self.journal = Journal(
                where.journal, identity=_identity(endpoint, is_rehearsal=is_rehearsal), shown=endpoint.shown
            )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about it."""
        return (_OTHER_KEY,) if self.journal is not None and self.journal.knows_others else ()

    def note(self, payload: Payload) -> None:
        """A payload was delivered. Raises JournalError."""
        if self.journal is not None:
            self.journal.note(payload.keys, payload.kept or packed_events(payload))
            if self.journal.pending >= _DUE:
                self._due.set()

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Events are given up. Raises OutputError."""
        self.letters.add(letters)

    def commit(self) -> None:
        """See that what was noted lately outlives us. Raises JournalError."""
        if self.journal is not None:
            self.journal.commit()

    async def keep_committing(self) -> None:
        """Commit while requests are made, in a thread: the disk may take its time. Never ends; raises JournalError.

        What is delivered slowly is on disk soon, too. What comes faster than the disk takes it waits in `note`.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._due.wait()
            self._due.clear()
            await asyncio.to_thread(self.commit)

    def close(self) -> None:
        """Let go of both.

        Raises:
            OutputError: something of what was kept lately cannot be written.
        """
        try:
            self.letters.close()
        finally:
            if self.journal is not None:
                self.journal.close()


def reads(inputs: Iterable[Source], file: Path) -> bool:
    """Whether a file is one of the inputs."""
    return file.exists() and any(source.path is not None and source.path.samefile(file) for source in inputs)


def _identity(endpoint: Endpoint, *, is_rehearsal: bool) -> Identity:
    identity = Identity.of(endpoint)
    if is_rehearsal and endpoint.write_key is None and endpoint.token is None:
        # A dry run needs no key: it looks at what was delivered with the last one.
        return replace(identity, credential=None)
    return identity


_OTHER_KEY: Final = (
    "warning: the journal knows of deliveries to this URL with another key; with this one, everything is sent again"
)
