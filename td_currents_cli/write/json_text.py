"""Results as JSON text."""

import json
from typing import Any, Final

import orjson

_INDENTED: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def json_line(document: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """A value on one line, with its line end."""
    return _encoded(document, orjson.OPT_APPEND_NEWLINE, None)


def json_document(document: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """A value indented for people who look at it, with its last line end."""
    return _encoded(document, _INDENTED, 2)


def _encoded(document: Any, option: int, indent: int | None) -> bytes:  # noqa: ANN401 -- as above
    try:
        return orjson.dumps(document, option=option)
    except orjson.JSONEncodeError:
        # A name with a lone surrogate, or of a file that is not UTF-8: JSON can say it, orjson does not.
        return json.dumps(document, indent=indent).encode() + b"\n"
