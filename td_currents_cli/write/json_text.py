"""Results as JSON."""

import json
from typing import Any, Final

import orjson

_INDENTED: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def json_line(document: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """A value as one line, with its line end."""
    return _encoded(document, orjson.OPT_APPEND_NEWLINE, None)


def json_document(document: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """A value as indented JSON, with a line end."""
    return _encoded(document, _INDENTED, 2)


def _encoded(document: Any, option: int, indent: int | None) -> bytes:  # noqa: ANN401 -- as above
    try:
        return orjson.dumps(document, option=option)
    except orjson.JSONEncodeError:
        # A string with a lone surrogate, such as the name of a file that is not UTF-8: orjson refuses it.
        return json.dumps(document, indent=indent).encode() + b"\n"
