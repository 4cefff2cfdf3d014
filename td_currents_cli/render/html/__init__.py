"""Pages for a browser, from the templates in this folder: `base.html`, `style.css`, `parts.html`, and one per page.

Whatever a template prints is escaped, and shown as on a terminal: without secrets, control characters, or characters
that change the direction of writing.
"""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from td_currents_cli import __version__
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import printable
from td_currents_cli.secrets import mask

TEMPLATES: Final = Path(__file__).parent

LONGEST: Final = 300
"""Characters of a string from the data that are shown."""

_KINDS: Final = {"green": "ok", "yellow": "warning", "red": "error", "cyan": "info", "dim": "dim"}
"""Classes of the stylesheet for styles of a terminal; those without a meaning have none."""


class Figure(NamedTuple):
    """A key figure of a page; the kind, which colors it, is a severity, `ok`, or empty."""

    number: int
    name: str
    kind: str = ""


def page(template: str, **values: Any) -> str:  # noqa: ANN401 -- whatever the template uses
    """Fill in a template of this folder."""
    return environment().get_template(template).render(**values)


def scanned_rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield which rows of tables were read, in words with a style; nothing for files."""
    if outcome.scanned is not None:
        since, until = outcome.scanned["received_since"], outcome.scanned["received_until"]
        yield f"rows received from {since} to {until or 'now'}", "dim"


@cache
def environment() -> Environment:
    """The templates, with what all of them use."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"number": lambda number: f"{number:,}", "kind": _kind, "shortened": _shortened}
    style = stylesheet()
    found.globals |= {
        "stylesheet": style,
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        "version": __version__,
        "now": lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }
    return found


@cache
def stylesheet() -> str:
    """The style of all pages."""
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


def _kind(style: str) -> str:
    """The class of the stylesheet for a style of a terminal; empty for a style without a meaning."""
    return next((_KINDS[word] for word in style.split() if word in _KINDS), "")


def _shown(value: Any) -> Any:  # noqa: ANN401 -- as above
    """What is printed for a value: a string as on a terminal, anything else unchanged."""
    return printable(mask(value)) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _shortened(text: str) -> str:
    """The same without the end of a long string, which says how long it is."""
    shown = _shown(text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}… ({len(shown):,} characters)"
