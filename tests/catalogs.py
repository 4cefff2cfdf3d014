"""Catalogs of one's own, for tests in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from td_currents_cli.catalog import load


@contextmanager
def catalog_of(file: Path) -> Iterator[None]:
    """Use the additions of a file, as TDCUR_CATALOG does for a process."""
    load.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TDCUR_CATALOG", str(file))
        yield
    load.cache_clear()
