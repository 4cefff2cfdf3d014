"""A digest of an event's content in Trino's SQL that is the same as `reconcile.outline` has; see there of what.

The JSON of Trino is text with its members in order (`JSON_PARSE` sees to that), and numbers as Java writes them.
"""

from typing import Final

from td_currents_cli.warehouse.sql.text import string_literal

_NUMBERS: Final = r'("[^"\\]*(?:\\.[^"\\]*)*")|-?\d+(?:\.\d+)?[eE][-+]?\d+|(-?\d+)(?:\.\d+)?'
"""A text, which is kept; a number with an exponent, which is not; any other, which keeps its whole part."""

_DIGITS: Final = 16
"""Hexadecimal ones of the digest that are compared."""


def content_hash_sql(event: str) -> str:
    """The digest of an expression of the type JSON."""
    text = f"REGEXP_REPLACE(JSON_FORMAT({event}), {string_literal(_NUMBERS)}, '$1$2')"
    return f"SUBSTR(TO_HEX(MD5(TO_UTF8({text}))), 1, {_DIGITS})"
