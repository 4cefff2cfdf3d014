"""Facts about how the package is built, read from its source: `python -m tests.structure` prints them.

With arguments it also runs that command twice and names the files whose functions the second run enters:
`python -m tests.structure count events.json`.
"""

import ast
import contextlib
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import FrameType
from typing import Final

import td_currents_cli

PACKAGE: Final = Path(td_currents_cli.__file__).parent
FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
LONG: Final = 500
"""Modules with more lines are tables of data."""

LONG_FUNCTION: Final = 50

TYPE_CHECKING_NAMES: Final = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING"})


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a module imports."""

    target: str  # dotted; of `from a import b`, `a.b`
    line: int
    lazy: bool  # inside a function: it runs when the function does, or never
    typing: bool  # below `if TYPE_CHECKING`: it never runs


class Module:
    """A module of the package, from its source."""

    def __init__(self, file: Path) -> None:
        self.path = file.relative_to(PACKAGE).as_posix()
        parts = [PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts]
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.source = file.read_text(encoding="utf-8")
        self.tree = ast.parse(self.source)

    @property
    def room(self) -> str:
        """The folder or module at the top of the package that it belongs to; empty for the package itself."""
        return room_of(self.name) or ""

    @cached_property
    def lines(self) -> int:
        return len(self.source.splitlines())

    @cached_property
    def imports(self) -> list[Import]:
        return list(_imports(self.tree, lazy=False, typing=False))

    @cached_property
    def is_table(self) -> bool:
        """Whether it is data: nine tenths of its lines belong to no function and to no class with methods."""
        code = sum(
            _lines(node)
            for node in self.tree.body
            if isinstance(node, FUNCTION)
            or (isinstance(node, ast.ClassDef) and any(isinstance(part, ast.FunctionDef) for part in node.body))
        )
        return code <= self.lines / 10


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _imports(node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, lazy, typing)
        elif isinstance(child, ast.ImportFrom):
            origin = "." * child.level + (child.module or "")
            for alias in child.names:
                yield Import(f"{origin}.{alias.name}", child.lineno, lazy, typing)
        elif isinstance(child, ast.If) and ast.unparse(child.test) in TYPE_CHECKING_NAMES:
            yield from _imports(ast.Module(child.body, []), lazy=lazy, typing=True)
            yield from _imports(ast.Module(child.orelse, []), lazy=lazy, typing=typing)
        else:
            inside = isinstance(child, (*FUNCTION, ast.Lambda))
            yield from _imports(child, lazy=lazy or inside, typing=typing)


def room_of(dotted: str) -> str | None:
    """The room of the package that a dotted name belongs to; None for other packages and the package itself."""
    first, _, rest = dotted.partition(".")
    return rest.split(".")[0] if first == PACKAGE.name and rest and not rest.startswith("__version__") else None


class Structure:
    """All modules of the package."""

    def __init__(self) -> None:
        self.modules = [Module(file) for file in sorted(PACKAGE.rglob("*.py"))]
        self._names = {module.name for module in self.modules}

    @cached_property
    def lines(self) -> int:
        return sum(module.lines for module in self.modules)

    @property
    def repeated_classes(self) -> dict[str, list[str]]:
        """Class names that are defined more than once, with the modules that define them."""
        found: dict[str, list[str]] = defaultdict(list)
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef):
                    found[node.name].append(module.path)
        return {name: paths for name, paths in sorted(found.items()) if len(paths) > 1}

    @property
    def long_modules(self) -> dict[str, int]:
        """Modules with more than LONG lines that are not tables of data."""
        return {each.path: each.lines for each in self.modules if each.lines > LONG and not each.is_table}

    @property
    def long_functions(self) -> dict[str, int]:
        """Functions with more than LONG_FUNCTION lines, without their decorators."""
        functions = {
            f"{module.path}:{node.name}": _lines(node)
            for module in self.modules
            for node in ast.walk(module.tree)
            if isinstance(node, FUNCTION)
        }
        return {name: lines for name, lines in functions.items() if lines > LONG_FUNCTION}

    def module_of(self, dotted: str) -> str | None:
        """The module that an imported name is, or is defined in; None where it is of another package."""
        while dotted and dotted not in self._names:
            dotted = dotted.rpartition(".")[0]
        return dotted or None

    def cycle(self, *, lazy: bool = False) -> list[str]:
        """Modules that import each other in a circle; empty if there are none.

        What runs when a module is imported counts. Imports below `if TYPE_CHECKING` never run, and those inside
        functions run when all modules are there: they count only with `lazy`. That importing `a.b` runs the
        `__init__` of `a` first is not counted: it would tie each package to all that its `__init__` offers.
        """
        imports: TopologicalSorter[str] = TopologicalSorter()
        for module in self.modules:
            for each in module.imports:
                target = self.module_of(each.target)
                if target and target != module.name and not each.typing and (lazy or not each.lazy):
                    imports.add(module.name, target)
        try:
            imports.prepare()
        except CycleError as error:
            return list(error.args[1])
        return []


def entered_files(argv: list[str]) -> list[str]:
    """Files of the package whose functions a second run of a command enters, in the same process.

    The first run imports what is imported lazily. Bodies of modules and classes are not counted.
    """
    from td_currents_cli.cli import main  # noqa: PLC0415 -- reading the source needs none of it

    entered: set[str] = set()
    top = str(PACKAGE)

    def profile(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        # A class body is no function: it has no locals of its own that the compiler could lay out.
        if event == "call" and code.co_flags & 0x2 and code.co_filename.startswith(top):
            entered.add(Path(code.co_filename).relative_to(PACKAGE).as_posix())

    before = sys.argv
    sys.argv = ["tdcur", *argv]
    try:
        for look in (None, profile):
            out = io.TextIOWrapper(io.BytesIO())
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
                sys.setprofile(look)
                try:
                    main()
                finally:
                    sys.setprofile(None)
    finally:
        sys.argv = before
    return sorted(entered)


def _print(title: str, entries: Iterable[object]) -> None:
    listed = list(entries)
    print(f"{title}: {len(listed)}", *listed, sep="\n  ")


def main(argv: list[str]) -> None:
    """Print the facts, or the files that a command enters."""
    if argv:
        _print("files entered", entered_files(argv))
        return
    structure = Structure()
    print(f"files: {len(structure.modules)}")
    print(f"lines: {structure.lines}")
    _print("class names defined twice", (f"{k}: {', '.join(v)}" for k, v in structure.repeated_classes.items()))
    print("import cycle:", " ".join(structure.cycle()) or "none")
    print("import cycle with lazy imports:", " ".join(structure.cycle(lazy=True)) or "none")
    long_modules = (f"{path}: {lines}" for path, lines in structure.long_modules.items())
    _print(f"modules over {LONG} lines, tables of data left out", long_modules)
    _print(f"functions over {LONG_FUNCTION} lines", (f"{k}: {v}" for k, v in structure.long_functions.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
