"""The published JSON Schema (2020-12) of `tdcur validate --format json`."""

from importlib.resources import files


def schema_text() -> str:
    """Return the schema as JSON, with a line end after it."""
    return files("td_currents_cli.render").joinpath("validate.schema.json").read_text(encoding="utf-8")
