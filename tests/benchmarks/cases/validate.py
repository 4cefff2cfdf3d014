"""How many events are there, and how many of them have errors?

The peers validate with the tolerant JSON Schema that `tdcur events` exports, which says what `tdcur validate` calls an
error, as far as a schema can. `tdcur` checks every other rule besides, and finds the places.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.benchmarks.case import (
    CHECK_JSONSCHEMA,
    CLEAN,
    JSONSCHEMA_RS,
    TDCUR,
    Answer,
    Case,
    Contender,
    Goal,
    script,
    shell,
    tdcur,
)

_SAMPLE: Final = 1000
"""Events that check-jsonschema is given: with all of them it would take an hour. It reads no JSON Lines either."""

_BAD: Final = 0.01


@dataclass(slots=True)
class _Stage:
    """What a case has set up while it runs."""

    # With `schema.json`, with `sample.json`, one payload of the first events, and with `bad.jsonl`, the input with some
    # events spoilt.
    folder: Path = Path()
    events: int = 0  # in the input
    spoilt: int = 0  # in `bad.jsonl`

    @contextmanager
    def setting(self, source: Path) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="tdcur-benchmark-validate-") as name:
            self.folder = Path(name)
            schema = subprocess.run([*tdcur(), "events", "--format", "json-schema"], stdout=subprocess.PIPE, check=True)
            (self.folder / "schema.json").write_bytes(schema.stdout)
            with source.open("rb") as lines:
                payloads = [next(lines, b"") for _ in range(_SAMPLE // 100 + 1)]
                events = list(chain.from_iterable(json.loads(line)["events"] for line in payloads if line))
                (self.folder / "sample.json").write_text(json.dumps({"events": events[:_SAMPLE]}), encoding="utf-8")
            self._spoil(source)
            yield

    def _spoil(self, source: Path) -> None:
        random = Random(0)
        self.events = self.spoilt = 0
        with source.open("rb") as lines, (self.folder / "bad.jsonl").open("w", encoding="utf-8") as bad:
            for line in lines:
                payload = json.loads(line)
                self.events += len(payload["events"])
                for event in payload["events"]:
                    if random.random() < _BAD:
                        _SPOIL[self.spoilt % len(_SPOIL)](event)
                        self.spoilt += 1
                bad.write(json.dumps(payload, ensure_ascii=False, separators=(",", ":")) + "\n")

    def tdcur(self) -> tuple[str, ...]:
        return (*tdcur(), "validate", "--format", "json")

    def tdcur_with_bad_events(self) -> tuple[str, ...]:
        return shell(f"{' '.join(self.tdcur())} '{self.folder}/bad.jsonl' || test $? -eq 1")

    def jsonschema_rs(self) -> tuple[str, ...]:
        return script("validate_jsonschema_rs", str(self.folder / "schema.json"))

    def jsonschema_rs_with_bad_events(self) -> tuple[str, ...]:
        return shell(f"{' '.join(self.jsonschema_rs())} '{self.folder}/bad.jsonl'")

    def check_jsonschema(self) -> tuple[str, ...]:
        command = f"{sys.executable} -m check_jsonschema -o json"
        return shell(f"{command} --schemafile '{self.folder}/schema.json' '{self.folder}/sample.json'")

    def of_tdcur(self, stdout: Path) -> Answer:
        outcome = json.loads(stdout.read_bytes())
        bad = {(each["line"], each["event_index"]) for each in outcome["problems"] if each["severity"] == "error"}
        return {"events": outcome["summary"]["events"], "invalid": len(bad)}

    def of_script(self, stdout: Path) -> Answer:
        counts: dict[str, int] = json.loads(stdout.read_bytes())
        return counts

    def of_check_jsonschema(self, stdout: Path) -> Answer:
        """It does not say how many events it has seen."""
        return {"events": self.events, "invalid": len(json.loads(stdout.read_bytes())["errors"])}

    def of_clean(self, stdout: Path) -> Answer:
        """The same program with another input: what it finds there is compared in the other case."""
        return {**self.of_tdcur(stdout), "invalid": self.spoilt}


def _set(name: str, value: object, event: dict[str, Any]) -> None:
    event[name] = value


def _mistype(event: dict[str, Any]) -> None:
    """Make the first text in `properties` a number; there is always one."""
    texts = (name for name, value in event["properties"].items() if isinstance(value, str))
    event["properties"][next(texts)] = 7


_SPOIL: Final[tuple[Callable[[dict[str, Any]], object], ...]] = (
    partial(_set, "time", "2026-07-01T10:00:00Z"),
    _mistype,
    partial(_set, "id", None),
    partial(_set, "user", "u-1"),
    partial(_set, "time", 1782900000000),
    partial(_set, "properties", None),
)

_STAGE: Final = _Stage()

CASES: Final = (
    Case(
        name="validate-clean",
        title="events that are all valid, as payload lines",
        shape="payloads",
        contenders=(
            Contender(peer=TDCUR, command=_STAGE.tdcur, answer=_STAGE.of_tdcur),
            Contender(peer=JSONSCHEMA_RS, command=_STAGE.jsonschema_rs, answer=_STAGE.of_script),
            Contender(
                peer=CHECK_JSONSCHEMA,
                command=_STAGE.check_jsonschema,
                answer=_STAGE.of_check_jsonschema,
                sample=_SAMPLE,
            ),
        ),
        goals=(Goal(4, (JSONSCHEMA_RS,)), Goal(20, (CHECK_JSONSCHEMA,))),
        setting=_STAGE.setting,
    ),
    Case(
        name="validate-bad",
        title=f"events of which {_BAD:.0%} have errors, as payload lines",
        shape="payloads",
        contenders=(
            Contender(peer=TDCUR, command=_STAGE.tdcur_with_bad_events, answer=_STAGE.of_tdcur),
            Contender(peer=CLEAN, command=_STAGE.tdcur, answer=_STAGE.of_clean),
            Contender(peer=JSONSCHEMA_RS, command=_STAGE.jsonschema_rs_with_bad_events, answer=_STAGE.of_script),
        ),
        goals=(Goal(0.5, (CLEAN,)), Goal(4, (JSONSCHEMA_RS,))),
        setting=_STAGE.setting,
    ),
)
