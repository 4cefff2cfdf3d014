"""A digest of an event's content in Trino's SQL, equal to the one of `reconcile.outline`.

Trino's JSON has its object keys sorted (by `JSON_PARSE`), and numbers as Java writes them.
"""

from typing import Final

from td_currents_cli.warehouse.sql.text import string_literal

_NUMBERS: Final = r'("[^"\\]*(?:\\.[^"\\]*)*")|-?\d+(?:\.\d+)?[eE][-+]?\d+|(-?\d+)(?:\.\d+)?'
"""A string (kept), a number with an exponent (removed), or another number (truncated to its integer part)."""

_DIGITS: Final = 16  # hexadecimal, of the digest


def content_hash_sql(event: str) -> str:
    text = f"REGEXP_REPLACE(JSON_FORMAT({event}), {string_literal(_NUMBERS)}, '$1$2')"
    return f"SUBSTR(TO_HEX(MD5(TO_UTF8({text}))), 1, {_DIGITS})"
