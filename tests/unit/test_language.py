"""Plain English: words and phrases that a reader would stumble over stay out of what people read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import td_currents_cli

PACKAGE = Path(td_currents_cli.__file__).parent
ROOT = Path(__file__).parents[2]

PHRASES = {
    "fix": r"\bmend(s|ed|ing)?\b",
    "next to, in addition to": r"\bbeside\b",
    "up to, maximum": r"\bso (many|much|long|often|late|shortly)\b(?! as)",
    "unchanged": r"\bas (it|they) stands?\b",
    "is not a": r"(?<!there )\b(is|are) no (?!longer|more|such)[a-z]+",
    "nothing, runs offline": r"\bnobody\b",
    "catalog": r"\bcatalogues?\b",
    "American spelling": (r"\b(colours?|coloured|(mis)?behaviours?|honour(ed|s)?|recognis\w+|organis\w+|licence)\b"),
    "integer": r"\bwhole numbers?\b",
    "string": r"(?<!outcomes )\b(a|an|as|be|is|of) texts?\b(?! (file|format|form|editor|output|that is not UTF-8))",
    "string, in the plural": r"\btexts\b",
    "field": r"\bmembers? of (an |the )?(event|object|user|envelope|`)",
    "[env: NAME]": r"\b[Ee]lse [A-Z]+_[A-Z_]+\b",
    "maximum": r"\bat most\b",
    "per line, per second, per event": (
        r"\b(events|requests|rows|lines|finding|rule|command|object|record) a (second|line|finding|rule|format)\b"
    ),
    "must": r"\b(is|are) to be\b",
    "unexpected top-level field": r"\bthe five\b(?! fields)",
    "report, print": r"\b(is|are) (told|said)\b",
    "not supported": r"\bcannot be said\b",
    "effect on": r"\bmakes of (it|them)\b",
    "removed, recorded": r"\b(is|are) (gone|noted)\b",
}
"""What to write instead, and what is not written."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def strings(module: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module that are read by people: those with a space, docstrings among them."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, " ".join(node.value.split())


def stumbles(text: str) -> Iterator[str]:
    for better, phrase in PHRASES.items():
        for found in re.finditer(phrase, text, re.IGNORECASE if "[A-Z]" not in phrase else 0):
            yield f"{found.group()!r} (write: {better})"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_strings_and_docstrings_are_plain(module: Path) -> None:
    found = [f"line {line}: {each}" for line, text in strings(module) for each in stumbles(text)]
    assert not found


DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "sample_data" / "README.md",
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_are_plain(document: Path) -> None:
    """What commands print into them is checked where it is written."""
    text = document.read_text(encoding="utf-8")
    prose = " ".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split())
    assert not list(stumbles(prose))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mend it.", True),
        ("unknown key beside the others", True),
        ("Show so many, count all.", True),
        ("the value as it stands", True),
        ("this is no event", True),
        ("`id` should be a text", True),
        ("is not in the catalogue", True),
        ("When to use colour.", True),
        ("found a whole number", True),
        ("Else TD_WRITE_KEY, else TDCUR_URL.", True),
        ("Events a second", True),
        ("there is no journal, a text file, is no longer sent, amendment, [env: TD_API_KEY]", False),
    ],
)
def test_the_phrases_are_found(text: str, found: bool) -> None:
    assert any(stumbles(text)) is found
