"""Fixtures that tests of several rooms share."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from td_currents_cli.serve import Receiver, ServeSettings
from tests.loopback import layer_of
from tests.scripted import Scripted

# `tdcur` is the one of this interpreter, also where its virtual environment was not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

# No test depends on the speed of the machine.
settings.register_profile("tdcur", deadline=None)
settings.load_profile("tdcur")

if TYPE_CHECKING:
    from td_currents_cli.serve.app import ASGIApp


def pytest_xdist_auto_num_workers() -> int:
    """Twice as many workers as cores: about half of a run is waiting for servers, processes and clocks."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(autouse=True, scope="session")
def default_signals() -> Iterator[None]:
    """Handle what is ignored in the background of a shell: the processes that tests start would ignore it, too."""
    # Not SIGHUP, which `nohup` ignores: the suite is to go on without its terminal.
    signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
    ignored = [each for each in signals if signal.getsignal(each) == signal.SIG_IGN]
    for each in ignored:
        signal.signal(each, signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL)
    yield
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)


@pytest.fixture(autouse=True, scope="session")
def shared_state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A state folder for what fixtures of a whole module run: never the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own for each test, where `tdcur send` keeps its journals: none may know of another's."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A real receiver on a free loopback port, with a write key of its own."""

    url: str  # Postback URL (v2) of a table
    key: str = field(repr=False)  # the write key whose rows are stored; others are answered 200 and dropped
    store: Path  # JSON Lines file with the rows
    receiver: Receiver  # for other tables' URLs and the figures

    def rows(self) -> list[dict[str, Any]]:
        """The rows stored so far: `time`, `events` (JSON text), and what else was sent."""
        return [json.loads(line) for line in self.store.read_text("utf-8").split("\n") if line]

    def events(self) -> list[Any]:
        """The events of all rows, in the order stored."""
        return [event for row in self.rows() for event in json.loads(row["events"])]


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    key = "1/0123456789abcdef0123456789abcdef01234567"
    settings = ServeSettings(store=tmp_path / "endpoint-rows.jsonl", write_key=key)
    with Receiver(settings) as receiver:
        yield Endpoint(receiver.url("braze", "currents"), key, receiver.store, receiver)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted().serving() as endpoint:
        yield endpoint


@pytest.fixture
def poisoned() -> "Callable[[ASGIApp], ASGIApp]":
    """A layer for a Receiver that answers 400 to every request with the word `poison` in it."""
    return layer_of(lambda _, body: (400, b"one of them is bad") if b"poison" in body else None)
