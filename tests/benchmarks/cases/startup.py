"""How long does it take to begin? The help of all commands, and a count of one event, beside the import of Typer."""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.case import TDCUR, Answer, Case, Contender, Goal, package, shell, tdcur

_TYPER: Final = package("import typer", "typer")
"""`python -c 'import typer'`: the library that reads the command line."""


@dataclass(slots=True)
class _Stage:
    """What a case has set up while it runs."""

    small: Path = Path()  # a payload of one event

    @contextmanager
    def setting(self, _source: Path) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="tdcur-benchmark-startup-") as folder:
            self.small = Path(folder, "small.json")
            event = {"event_type": "users.behaviors.app.SessionStart", "id": "1", "time": 1_700_000_000}
            payload = {"events": [event | {"user": {"user_id": "u"}, "properties": {}}]}
            self.small.write_text(json.dumps(payload), encoding="utf-8")
            yield

    def count(self) -> tuple[str, ...]:
        return shell(f"exec {shlex.join([*tdcur(), 'count', str(self.small)])}")


_STAGE: Final = _Stage()


def _help() -> tuple[str, ...]:
    return shell(f"exec {shlex.join([*tdcur(), '--help'])}")


def _import() -> tuple[str, ...]:
    return shell(f"exec {shlex.quote(sys.executable)} -c 'import typer'")


def _no_answer(_stdout: Path) -> Answer:
    return {}


CASES: Final = tuple(
    Case(
        name=name,
        title=title,
        events=1,
        contenders=(
            Contender(peer=TDCUR, command=command, answer=_no_answer),
            Contender(peer=_TYPER, command=_import, answer=_no_answer),
        ),
        goals=(Goal(1 / goal, (_TYPER,), must=1 / must),),
        setting=_STAGE.setting,
    )
    for name, title, command, goal, must in (
        ("start-help", "print the help of all commands", _help, 2, 2.5),
        ("start-count", "count one event", _STAGE.count, 1.6, 2),
    )
)
