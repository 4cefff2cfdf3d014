"""Endpoints that stop at the end of a test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, Start


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


@pytest.fixture
def start(store: Path) -> Iterator[Start]:
    """Starts an endpoint with options of `Served`."""
    with ExitStack() as stack:

        def started(fail: str = "", **options: Any) -> Served:
            return stack.enter_context(Served(options.pop("store", store), fail, **options))

        yield started
