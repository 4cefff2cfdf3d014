"""Sources in memory."""

from io import BytesIO
from types import SimpleNamespace
from typing import Any


def source_of(data: bytes, empty: str | None = None) -> Any:
    """A source that is not a file, by the name `x`; `empty` is the warning where nothing is in it."""
    options: dict[str, Any] = {
        "note": None,
        "max_document_size": 1 << 28,
        "progress": None,
        "stored": None,
        "event_type": None,
    }
    return SimpleNamespace(name="x", empty=empty, open=lambda: BytesIO(data), **options)
