"""The house of DESIGN.md, proved from the imports."""

import ast
from pathlib import Path

import pytest

import td_currents_cli

PACKAGE = Path(td_currents_cli.__file__).parent
LAYERS = (
    ("__main__",),
    ("cli",),
    ("render",),
    ("query",),
    ("validate", "send", "parse", "count", "reconcile", "verify", "insert", "generate", "receiver", "demo"),
    ("warehouse",),
    ("write", "events"),
    ("read",),
    ("catalog",),
    ("outcome", "model", "braze", "errors", "codes", "choices", "duration", "work", "bulk", "secret", "names"),
)
"""From the top down. Rooms of one layer do not import each other, but for the lowest, which is one room."""

HOMES = {
    "typer": ("cli",),
    "rich": ("cli", "render"),
    "httpx": ("send/client.py",),
    "httpx_aiohttp": ("send/client.py",),
    "aiohttp": ("send/client.py",),
    "starlette": ("receiver",),
    "uvicorn": ("receiver",),
    "pyarrow": ("write",),
    "tdclient": ("warehouse/client.py",),
}
"""The only places a foreign package may be imported in."""

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(file: Path) -> set[str]:
    """Dotted names of all modules a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def room(dotted: str) -> str | None:
    """The room of the house that a module belongs to; None outside the house and for the package itself."""
    parts = dotted.split(".")
    return parts[1] if parts[0] == PACKAGE.name and len(parts) > 1 and not parts[1].startswith("__v") else None


def layer(name: str) -> int:
    """How far down a room is."""
    return next(depth for depth, rooms in enumerate(LAYERS) if name in rooms)


def name_of(file: Path) -> str:
    """The room a file is in."""
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_down(file: Path) -> None:
    """A module imports its own room, rooms of lower layers, and nothing else of the house."""
    here = name_of(file)
    if here == "__init__":
        return
    for dotted in imports(file):
        there = room(dotted)
        if there is None or there == here:
            continue
        lowest = len(LAYERS) - 1
        below = layer(there) > layer(here) or (layer(there) == layer(here) == lowest)
        assert below, f"{here} imports {there}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_foreign_packages_stay_in_their_homes(file: Path) -> None:
    """The command line framework, the renderer and the network each have one place."""
    relative = file.relative_to(PACKAGE).as_posix()
    for dotted in imports(file):
        homes = HOMES.get(dotted.split(".")[0])
        if homes is not None:
            assert relative.startswith(homes), f"{relative} imports {dotted}"


def test_every_room_has_a_layer() -> None:
    """A new room is placed in the house before it is used."""
    rooms = {name_of(file) for file in FILES} - {"__init__"}
    assert rooms <= {name for names in LAYERS for name in names}
