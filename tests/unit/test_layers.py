"""How the package is built: who imports whom, where foreign packages are used, one name for one thing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.structure import LONG, PACKAGE, Module, Structure, room_of

LAYERS: Final = (
    ("__main__",),
    ("cli",),
    ("render",),
    ("watch",),
    ("verify", "report", "demo", "doctor", "show", "list_settings", "catalog_diff", "live_page", "workflow"),
    ("validate", "send", "parse", "count", "reconcile", "generate", "serve"),
    ("treasure_data", "parallel"),
    ("events",),
    ("read",),
    ("catalog", "journal", "write"),
    (
        "braze",
        "choices",
        "config",
        "durations",
        "errors",
        "model",
        "outcome",
        "patterns",
        "progress",
        "secrets",
        "sizes",
        "suggestions",
    ),
)
"""From the top down. Rooms of one layer do not import each other, except in the lowest."""

EXCEPTIONS: Final = (
    # `tdcur sql` prints the query that `tdcur count` runs.
    ("treasure_data/print_sql", "count"),
)
"""Beginnings of paths, and the room that they import all the same."""

HOMES: Final = {
    "typer": ("cli/",),
    "rich": ("cli/", "render/"),
    "httpx": ("send/http.py",),
    "httpx_aiohttp": ("send/http.py",),
    "aiohttp": ("send/http.py",),
    "uvicorn": ("serve/",),
    "jinja2": ("render/html/",),
    "pyarrow": ("write/", "read/formats/parquet.py"),
    "obstore": ("read/object_storage.py",),
    "boto3": ("read/object_storage.py",),
    "botocore": ("read/object_storage.py",),
    "tdclient": ("treasure_data/client.py",),
    "msgpack": ("read/formats/", "treasure_data/client.py"),
    "fastavro": ("read/formats/avro.py", "write/avro.py"),
    "cramjam": ("read/formats/avro.py",),
}
"""The only places of the package that may import a foreign package."""

STRUCTURE: Final = Structure()


def _misplaced(module: Module) -> Iterator[str]:
    """Imports that do not point down or leave their home: lazy ones and those for types, too."""
    depths = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
    for each in module.imports:
        there, homes = room_of(each.target), HOMES.get(each.target.split(".")[0], ("",))
        is_foreign = not module.room or there in {None, module.room, "__version__"}
        is_excepted = any(module.path.startswith(path) and there == room for path, room in EXCEPTIONS)
        if each.target.startswith(".") or not module.path.startswith(homes):
            yield f"{module.path}:{each.line}: imports {each.target}"
        elif not (is_foreign or is_excepted):
            here, below = depths[module.room], depths[there or ""]
            if not below > here and not below == here == len(LAYERS) - 1:
                yield f"{module.path}:{each.line}: {module.room} imports {each.target}"


def test_every_room_has_a_layer() -> None:
    """A new room is placed in the list before it is used."""
    rooms = {module.room for module in STRUCTURE.modules} - {""}
    assert rooms <= {name for names in LAYERS for name in names}


def test_imports_point_down_and_foreign_packages_stay_in_their_homes() -> None:
    """A module imports its own room, rooms of lower layers, and foreign packages only where they belong."""
    found = [line for module in STRUCTURE.modules for line in _misplaced(module)]
    assert found == []


def test_no_modules_import_each_other() -> None:
    """When the package is imported; see Structure.cycle for imports inside functions."""
    assert STRUCTURE.cycle() == []


def test_a_class_name_stands_for_one_thing() -> None:
    """Except for at most five names that are private to their modules."""
    repeated = STRUCTURE.repeated_classes
    private = {name for name in repeated if name.startswith("_")}
    assert (repeated.keys() - private, len(private) <= 5) == (set(), True), repeated


def test_no_module_is_too_long() -> None:
    """Except for tables of data."""
    assert STRUCTURE.long_modules == {}, f"over {LONG} lines"


SEND: Final = "send --dry-run one.json --url http://127.0.0.1:9/postback/v3/event/braze/currents"


@pytest.mark.parametrize(("arguments", "most"), [("count one.json", 30), (SEND, 38)], ids=["count", "send"])
def test_few_files_are_needed_to_follow_a_command(arguments: str, most: int, tmp_path: Path) -> None:
    """Functions of few files are entered by a run with one event (`python -m tests.structure COMMAND` names them)."""
    event = {"event_type": "users.behaviors.CustomEvent", "id": "1", "time": 1700000000, "user": {"user_id": "u"}}
    payload = {"events": [event | {"properties": {"name": "x"}}]}
    (tmp_path / "one.json").write_text(json.dumps(payload), encoding="utf-8")
    # A run that takes long on a busy machine would show its progress.
    command = [sys.executable, "-m", "tests.structure", *arguments.split(), "--progress", "never"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    title, *files = run.stdout.split()[2:]
    assert int(title) == len(files) == len(set(files)) <= most
    assert f"cli/{arguments.split(maxsplit=1)[0]}.py" in files
    assert "__init__.py" not in files
    assert all((PACKAGE / file).is_file() for file in files)
