"""Outcomes of `tdcur validate` built in memory, and terminals to render them on."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rendering import Screen, screen_of
from tests.td_service.service import Canned, Service


@pytest.fixture(scope="session")
def running() -> Iterator[Service]:
    """A stand-in for Treasure Data's REST API, which each test resets to tables and an engine of its own."""
    with Service(Canned()) as running:
        yield running


@pytest.fixture
def stored() -> Callable[[str, str], None]:
    """Compares a text with the one stored under a name in tests/cases/tables; with TDCUR_UPDATE_CASES=1, stores it."""

    def check(name: str, text: str) -> None:
        path = Path(__file__).parents[1] / "cases" / "tables" / f"{name}.txt"
        if os.environ.get("TDCUR_UPDATE_CASES"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def screen() -> Screen:
    """Standard output and standard error in a pipe."""
    return screen_of()
