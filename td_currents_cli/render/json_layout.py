"""Formats JSON for people who read and compare it: what fits on a line stays on one line."""

import json
from typing import Any, Final

LINE_WIDTH: Final = 120


def format_json(value: Any, *, indent: str = "", taken: int = 0) -> str:  # noqa: ANN401 -- any JSON value
    """Format a JSON value, without a line end after it.

    Args:
        value: any JSON value, with no lone surrogates in its strings.
        indent: of the line that it begins on.
        taken: columns of that line that are already used after the indent, for the name and the comma.
    """
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(indent) + taken + len(line) <= LINE_WIDTH:
        return line
    deeper = f"{indent}  "
    if isinstance(value, dict):
        names = [f"{json.dumps(name, ensure_ascii=False)}: " for name in value]
        fields = zip(names, value.values(), strict=True)
        lines = [name + format_json(field, indent=deeper, taken=len(name) + 1) for name, field in fields]
        return "{\n" + ",\n".join(deeper + each for each in lines) + f"\n{indent}}}"
    lines = [format_json(item, indent=deeper, taken=1) for item in value]
    return "[\n" + ",\n".join(deeper + each for each in lines) + f"\n{indent}]"
