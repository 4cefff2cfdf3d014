"""The published JSON Schema (2020-12) of `tdcur validate --format json`."""

from importlib.resources import files


def schema_text() -> str:
    """The schema as JSON text, with its last line end."""
    return files(__package__ or "").joinpath("validate.schema.json").read_text(encoding="utf-8")
