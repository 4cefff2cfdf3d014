"""JSON as Trino keeps it: read by Jackson into Java's own values, written again with names in order.

Written from what Jackson and Java document, not from what this program makes of it.
"""

import json
from decimal import Decimal
from typing import Any, NoReturn

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def canonical(text: str) -> str:
    """The text of a JSON value in the only form that Trino has for it.

    Raises:
        ValueError: it is not JSON, or cannot be written as UTF-8.
    """
    return written(json.loads(text, parse_constant=refuse))


def refuse(constant: str) -> NoReturn:
    """Jackson takes no NaN."""
    raise ValueError(constant)


def written(value: Any) -> str:
    """A value as Jackson writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return double(value)
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    names = sorted(value, key=utf_16)
    return "{" + ",".join(f"{string(name)}:{written(value[name])}" for name in names) + "}"


def utf_16(text: str) -> list[int]:
    """The `char`s of a Java String, which `compareTo` goes by. Raises ValueError for a half of a pair."""
    units = text.encode("utf-16-le")
    return [units[at] | units[at + 1] << 8 for at in range(0, len(units), 2)]


def string(text: str) -> str:
    """A text in quotes. Raises ValueError for a half of a pair."""
    utf_16(text)
    return '"' + "".join(SHORT.get(each) or (f"\\u{ord(each):04X}" if each < " " else each) for each in text) + '"'


def double(number: float) -> str:
    """As `Double.toString` has it, but for what is not finite: Jackson puts that into quotes."""
    if number in {float("inf"), float("-inf")}:
        return '"Infinity"' if number > 0 else '"-Infinity"'
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    assert isinstance(exponent, int)
    minus, figures = "-" * sign, "".join(map(str, digits))
    if number == 0:
        return f"{minus}0.0"
    scale = len(figures) + exponent - 1
    figures = figures.rstrip("0")
    if not 10**-3 <= abs(number) < 10**7:
        return f"{minus}{figures[0]}.{figures[1:] or '0'}E{scale}"
    if scale < 0:
        return f"{minus}0.{'0' * (-scale - 1)}{figures}"
    whole, rest = figures[: scale + 1].ljust(scale + 1, "0"), figures[scale + 1 :]
    return f"{minus}{whole}.{rest or '0'}"
