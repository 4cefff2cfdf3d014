"""A small digdag: runs the tasks of a workflow that are in the projects of `tdcur workflow init`, on a stand-in."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import yaml

from tests.td_service.engine import Engine

_VARIABLE: Final = re.compile(r"\$\{(?!secret:)([^}]*)\}")


def load_workflow(file: Path) -> dict[str, Any]:
    """Parse a file of digdag's dialect, as far as that is YAML. A task that occurs twice is an error."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
        pass

    def mapping(loader: Any, node: Any) -> dict[str, Any]:
        names = [loader.construct_object(name) for name, _ in node.value]
        assert len(names) == len(set(names)), names
        return dict(loader.construct_pairs(node, deep=True))

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    loaded: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader)  # noqa: S506 -- a safe loader
    return loaded


def filled_in(text: str, variables: Mapping[str, Any]) -> str:
    """Evaluate `${…}`. The expressions that we write mean the same in JavaScript and in Python."""

    def value(found: re.Match[str]) -> str:
        result = eval(found[1], {"__builtins__": {}}, dict(variables))  # noqa: S307 -- our own
        return "" if result is None else str(result)

    return _VARIABLE.sub(value, text)


class Digdag:
    """Runs a workflow, and keeps the texts that it posts."""

    def __init__(self, file: Path, engine: Engine) -> None:
        self._file = file
        self._engine = engine
        self.posted: list[str] = []
        self.queries: list[str] = []  # that were run, by their files

    def run(self, session_unixtime: int, stop_after: str = "") -> None:
        """Run a session; `stop_after` is the file of the query after which it dies."""
        self._stop_after = stop_after
        variables = {"session_unixtime": session_unixtime, "session_id": 1, "td": SimpleNamespace(last_results=None)}
        self._workflow(self._file, variables)

    def _workflow(self, file: Path, variables: dict[str, Any]) -> None:
        tasks = {name: each for name, each in load_workflow(file).items() if name not in {"timezone", "schedule"}}
        self._group({name: each for name, each in tasks.items() if name != "_error"}, variables)

    def _group(self, group: Mapping[str, Any], variables: dict[str, Any]) -> None:
        td = variables["td"]
        inner = variables | group.get("_export", {}) | {"td": td}
        for name, task in group.items():
            if name.startswith("+"):
                self._task(task, inner)

    def _task(self, task: Mapping[str, Any], variables: dict[str, Any]) -> None:
        operator = next((name for name in task if name.endswith(">")), None)
        inner = variables | {name: filled_in(text, variables) for name, text in task.get("_export", {}).items()}
        match operator:
            case None:
                self._group(task, variables)
            case "td>":
                self._query(task, inner)
            case "if>":
                if filled_in(task["if>"], inner) == "True":
                    self._task(task["_do"], inner)
            case "call>":
                self._workflow(self._file.with_name(task["call>"]), inner)
            case "http>":
                assert task["http>"] == "${secret:alert_url}"
                self.posted.append(filled_in(task["content"]["text"], inner))
            case _:
                raise AssertionError(operator)

    def _query(self, task: Mapping[str, Any], variables: dict[str, Any]) -> None:
        file = self._file.parent / task["td>"]
        result = self._engine.query(filled_in(file.read_text(encoding="utf-8"), variables))
        self.queries.append(file.stem)
        if task.get("store_last_results"):
            names = [name for name, _ in result.columns]
            variables["td"].last_results = SimpleNamespace(**dict(zip(names, result.rows[0], strict=True)))
        if file.stem == self._stop_after:
            raise InterruptedError
