"""How many events are there, and how many of them have errors?

The peers validate with the tolerant JSON Schema that `tdcur events` exports, which says what `tdcur validate` calls an
error, as far as a schema can. `tdcur` checks every other rule besides, and finds the places.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.benchmarks.case import TDCUR, Answer, Case, Contender, Goal, Peer, package, script, shell, tdcur

_JSONSCHEMA_RS: Final = package("jsonschema-rs", "jsonschema-rs")
_CHECK_JSONSCHEMA: Final = package("check-jsonschema", "check-jsonschema")
_CLEAN: Final = Peer("tdcur, clean input", TDCUR.version)
"""The same program, where what is asked is how much slower another input is."""

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
                        properties = event["properties"]
                        first = next(name for name, value in properties.items() if isinstance(value, str))
                        event.update(_SPOIL[self.spoilt % len(_SPOIL)] or {"properties": properties | {first: 7}})
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

    def of_check_jsonschema(self, stdout: Path) -> Answer:
        """It does not say how many events it has seen."""
        return {"events": self.events, "invalid": len(json.loads(stdout.read_bytes())["errors"])}

    def of_clean(self, stdout: Path) -> Answer:
        """The same program with another input: what it finds there is compared in the other case."""
        return {**self.of_tdcur(stdout), "invalid": self.spoilt}


_SPOIL: Final[tuple[dict[str, Any] | None, ...]] = (
    {"time": 1782900000.5},  # a string, Braze's documentation allows in the events of News Feed cards
    None,  # the first string in `properties`, which there always is, becomes a number
    {"id": None},
    {"user": "u-1"},
    {"time": 1782900000000},
    {"properties": None},
)
"""Fields that replace those of an event."""

_STAGE: Final = _Stage()


def _printed(stdout: Path) -> Answer:
    return dict(json.loads(stdout.read_bytes()))


CASES: Final = (
    Case(
        name="validate-clean",
        title="events that are all valid, as payload lines",
        contenders=(
            Contender(peer=TDCUR, command=_STAGE.tdcur, answer=_STAGE.of_tdcur),
            Contender(peer=_JSONSCHEMA_RS, command=_STAGE.jsonschema_rs, answer=_printed),
            Contender(
                peer=_CHECK_JSONSCHEMA,
                command=_STAGE.check_jsonschema,
                answer=_STAGE.of_check_jsonschema,
                sample=_SAMPLE,
            ),
        ),
        goals=(Goal(2, (_JSONSCHEMA_RS,), must=1.4), Goal(20, (_CHECK_JSONSCHEMA,))),
        setting=_STAGE.setting,
    ),
    Case(
        name="validate-bad",
        title=f"events of which {_BAD:.0%} have errors, as payload lines",
        contenders=(
            Contender(peer=TDCUR, command=_STAGE.tdcur_with_bad_events, answer=_STAGE.of_tdcur),
            Contender(peer=_CLEAN, command=_STAGE.tdcur, answer=_STAGE.of_clean),
            Contender(peer=_JSONSCHEMA_RS, command=_STAGE.jsonschema_rs_with_bad_events, answer=_printed),
        ),
        goals=(Goal(0.5, (_CLEAN,)), Goal(4, (_JSONSCHEMA_RS,))),
        setting=_STAGE.setting,
    ),
)
