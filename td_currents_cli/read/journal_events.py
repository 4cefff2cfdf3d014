"""What a journal of `tdcur send` knows of the events that were delivered."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from td_currents_cli.errors import InputError

_APPLICATION: Final = 0x7464_636A


def delivered_events(
    path: Path, *, endpoint: str | None = None
) -> Iterator[Sequence[tuple[str | None, str | None, object]]]:
    """The id, the type and the time of every event that was delivered, in batches.

    Args:
        path: the journal.
        endpoint: the URL of the one that is meant, as it may be shown; None for all.

    Raises:
        InputError: it is no journal, cannot be read, or was written by a version that noted digests alone.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error as error:
        reason = "no such file" if not path.exists() else str(error)
        raise InputError(f"the journal {path} cannot be read: {reason}") from None
    if application != _APPLICATION:
        raise InputError(f"{path} is a database, but not a journal of tdcur")
    of = f" about {endpoint}" if endpoint else ""
    raise InputError(
        f"the journal {path} holds no ids of events{of}", hint="Give the files that were sent, with --sent."
    )
