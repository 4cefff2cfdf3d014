"""Endpoints with a page that stop at the end of a test."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.serving import Served, Start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an endpoint with a page, and options of `Served`."""
    with ExitStack() as stack:
        served = partial(Served, tmp_path / "rows.jsonl")
        yield lambda fail="", watched="masked", **options: stack.enter_context(served(fail, watched=watched, **options))
