"""Sources that can be read again: what comes through a pipe is copied to a temporary file."""

import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, Final, Self, cast

from td_currents_cli.errors import OutputError
from td_currents_cli.read.sources import Source

_COPY_SIZE: Final = 1 << 20


class RereadableSources:
    """Copies what can be read only once to temporary files, until it is closed (it is a context manager)."""

    def __init__(self) -> None:
        self._files = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._files.close()

    def rereadable(self, sources: Iterable[Source]) -> list[Source]:
        """Return the same sources, by the same names, from files that can be read more than once.

        What cannot be read is left unchanged: its reader reports it.

        Raises:
            OutputError: a temporary file cannot be written.
        """
        return [source if _is_file(source) else self._copied(source) for source in sources]

    def _copied(self, source: Source) -> Source:
        try:
            raw = source.open()
        except OSError:
            return source
        with closing(raw):
            try:
                file = self._files.enter_context(NamedTemporaryFile(prefix="tdcur-"))  # noqa: SIM115 -- closed with all
                shutil.copyfileobj(cast("BinaryIO", _UntilFailure(raw)), file, _COPY_SIZE)
                file.flush()
            except OSError as error:
                raise OutputError(
                    f"cannot copy {source.name} to a temporary file: {error.strerror or type(error).__name__}",
                    hint="Free some disk space, set TMPDIR to a larger disk, or name a file instead.",
                ) from None
        return Source(source.name, Path(file.name))


class _UntilFailure:
    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def read(self, size: int) -> bytes:
        try:
            return self._raw.read(size)
        except OSError:
            return b""


def _is_file(source: Source) -> bool:
    if source.path is None:
        return False
    try:
        return stat.S_ISREG(os.stat(source.path).st_mode)  # noqa: PTH116 -- the path as given
    except OSError:
        return True
